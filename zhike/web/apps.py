from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "zhike.web"
    label = "web"
