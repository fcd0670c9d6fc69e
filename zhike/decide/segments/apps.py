from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "zhike.decide.segments"
    label = "segments"
