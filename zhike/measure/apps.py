from django.apps import AppConfig


class MeasureConfig(AppConfig):
    name = "zhike.measure"
    label = "measure"
