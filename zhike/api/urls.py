"""Addresses of the REST API."""

from django.urls import path

from zhike.api.application import api

urlpatterns = [path("", api.urls)]
