from django.apps import AppConfig


class InteractionsConfig(AppConfig):
    name = "zhike.record.interactions"
    label = "interactions"
