"""What to offer a customer next, and why: learnt once a night from what customers bought and used together."""
