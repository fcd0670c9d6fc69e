"""Plain Python that every stage may use: no Django, no database, no clock."""
