from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "zhike.record.commerce"
    label = "commerce"
