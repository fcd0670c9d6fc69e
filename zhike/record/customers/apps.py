from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "zhike.record.customers"
    label = "customers"
