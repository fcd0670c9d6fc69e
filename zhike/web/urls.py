"""Addresses of Today, Customers, Customer 360, the palette and long work."""

from django.urls import path

from zhike.web.pages import (
    changed,
    customer,
    customer_then,
    customers,
    export,
    leaving,
    palette,
    today,
    views,
    voice,
    works,
)

urlpatterns = [
    path("", today.home, name="home"),
    path("today", today.today, name="today"),
    path("today/news", today.news, name="today-news"),
    path("customers", customers.customers, name="customers"),
    path("customers/condition", customers.condition, name="customers-condition"),
    path("customers/columns", customers.column_chooser, name="customers-columns"),
    path("customers/export", export.export, name="customers-export"),
    path("customers/hand-over", customers.hand_over, name="customers-hand-over"),
    path("customers/take-back", customers.take_back, name="customers-take-back"),
    path("customers/<int:customer_id>", customer.customer, name="customer"),
    path("customers/<int:customer_id>/next", customer.customer_next, name="customer-next"),
    path("customers/<int:customer_id>/story", customer.customer_story, name="customer-story"),
    path("customers/<int:customer_id>/usage", customer.customer_usage, name="customer-usage"),
    path("customers/<int:customer_id>/leaving", leaving.customer_leaving, name="customer-leaving"),
    path("customers/<int:customer_id>/changed", changed.customer_changed, name="customer-changed"),
    path("customers/<int:customer_id>/corrected", customer_then.customer_corrected, name="customer-corrected"),
    path("customers/<int:customer_id>/events", customer.customer_events, name="customer-events"),
    path("churn-score", leaving.churn_model, name="churn-model"),
    path("views/new", views.view_new, name="view-new"),
    path("views/<int:segment_id>/save", views.view_save, name="view-save"),
    path("views/<int:segment_id>/delete", views.view_delete, name="view-delete"),
    path("voice", voice.voice, name="voice"),
    path("voice/<int:voice_id>", voice.correct, name="voice-correct"),
    path("search", palette.search, name="search"),
    path("jobs", works.works_list, name="works"),
    path("jobs/<int:work_id>", works.work, name="work"),
    path("jobs/<int:work_id>/cancel", works.cancel, name="work-cancel"),
]
