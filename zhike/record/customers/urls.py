"""Addresses for adding and changing customers and contacts."""

from django.urls import path

from zhike.record.customers import pages

urlpatterns = [
    path("customers/new", pages.customer_new, name="customer-new"),
    path("customers/<int:customer_id>/edit", pages.customer_edit, name="customer-edit"),
    path("customers/<int:customer_id>/contacts/new", pages.contact_new, name="contact-new"),
    path("contacts/<int:contact_id>/edit", pages.contact_edit, name="contact-edit"),
]
