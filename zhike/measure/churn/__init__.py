"""Who will leave: a probability learnt from any table of features, taken apart into its causes, or the reason for none.

Columns are read by `tables`, `trying.attempt` says which may be used and judges both models on rows they have not
seen, and a `scoring.Scorer` can be kept as plain numbers. All of it is plain Python; sentences are msgids.
"""
