"""What customers will still bring, for every customer of a company, once a night."""

from zhike.measure.value.valuing import valued

__all__ = ["valued"]
