"""Churn in the product: what leaving means by the plan, learnt from kept days, said once a night, taken apart."""
