from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "zhike.decide.plans"
    label = "plans"
