from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "zhike.record.imports"
    label = "imports"
