"""`zhike lab`: the measures of the product on any file, without a database, before a company moves in."""
