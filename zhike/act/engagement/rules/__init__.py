"""How wishes for contact come about: plain Python over one customer's facts, the plan and the day."""
