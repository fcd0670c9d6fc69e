"""Sources and their keys, refused events and their replay, the live stream and the features, as people use them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils.timezone import now

from zhike.org import company
from zhike.org.models import AuditLine
from zhike.record.tracking.models import Feature, FeatureDay, Inbox, RefusedEvent, Source, StreamMinute, WriteKey
from zhike.record.tracking.operations import drain, replaying, sources
from zhike.record.tracking.queries import stream
from zhike.record.tracking.rules import REASONS
from zhike.record.tracking.tests.flow import event, put_in

Hire = Callable[..., Any]


@pytest.fixture
def shop(db: None) -> Source:
    return sources.add_source(name="Shop", origins=["https://shop.example"], by=None, now=now())[0]


def refuse(source: Source, body: str, reason: str = "no_person", **more: Any) -> RefusedEvent:
    given = {"source": source, "reason": reason, "body": body, "received_at": now(), **more}
    return RefusedEvent.objects.create(**given)


def test_an_administrator_adds_a_source_and_sees_its_key_once(admin: Client, lead: Client) -> None:
    form = {"name": "Shop", "origins": "https://Shop.example/\nhttp://localhost:3000"}
    assert lead.post("/settings/sources/new", form).status_code == 403
    page = admin.post("/settings/sources/new", form)
    source = Source.objects.get()
    assert source.origins == ["http://localhost:3000", "https://shop.example"]
    key = str(page.context["key"])
    assert key in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "/v1/zhike.js" in page.text
    assert key not in admin.get(f"/settings/sources/{source.pk}").text
    assert key not in str(list(AuditLine.objects.values_list("detail", flat=True)))
    assert set(AuditLine.objects.values_list("action", flat=True)) >= {"source.added", "source.key_added"}


@pytest.mark.parametrize(
    "origins", ["shop.example", "https://a.example/path", "javascript:alert(1)", "https://*.example"]
)
def test_what_is_no_origin_is_refused(admin: Client, shop: Source, origins: str) -> None:
    assert admin.post(f"/settings/sources/{shop.pk}", {"name": "Shop", "origins": origins}).status_code == 422


def test_a_source_is_changed_and_switched_off(admin: Client, shop: Source) -> None:
    assert admin.post(f"/settings/sources/{shop.pk}", {"name": "Store", "origins": ""}).status_code == 302
    shop.refresh_from_db()
    assert (shop.name, shop.origins, shop.is_active) == ("Store", [], False)
    taken = admin.post("/settings/sources/new", {"name": "Store"})
    assert (taken.status_code, Source.objects.count()) == (422, 1)
    assert "Store" in taken.text


def test_keys_are_rotated_with_an_overlap_and_ended(admin: Client, shop: Source) -> None:
    page = admin.post(f"/settings/sources/{shop.pk}/rotate", {"hours": 24})
    old, new = WriteKey.objects.order_by("id")
    assert old.ends_at is not None
    assert timedelta(hours=23) < old.ends_at - now() < timedelta(hours=25)
    assert str(page.context["key"]).endswith(new.hint)
    assert admin.post(f"/settings/sources/{shop.pk}/rotate", {"hours": 5}).status_code == 422
    for _ in range(2):
        admin.post(f"/settings/keys/{new.pk}/end")
    new.refresh_from_db()
    assert new.ends_at is not None
    assert AuditLine.objects.filter(action="source.key_ended").count() == 1


def test_rotating_never_lengthens_a_key(admin: Any, shop: Source) -> None:
    soon = now() + timedelta(hours=1)
    WriteKey.objects.update(ends_at=soon)
    sources.rotate_key(shop, overlap=timedelta(days=7), by=admin.staff, now=now())
    assert WriteKey.objects.order_by("id").first().ends_at == soon  # type: ignore[union-attr]  # There is one.


def test_a_refused_event_is_read_mended_and_replayed(admin: Client, shop: Source) -> None:
    then = now() - timedelta(days=2)
    one = refuse(shop, '{"type":"track","event":"Opened","messageId":"m1"}', received_at=then)
    address = f"/stream/refused/{one.pk}"
    assert "Opened" in admin.get(address).text
    assert admin.post(address, {"body": one.body}).status_code == 422
    assert admin.post(address, {"body": "{} , {}"}).status_code == 422
    mended = '{"type":"track","event":"Opened","messageId":"m1","userId":"u1"}'
    assert admin.post(address, {"body": mended}).status_code == 302
    row = Inbox.objects.get()
    (event,) = msgspec.json.decode(bytes(row.body))
    assert (event["userId"], event["timestamp"], event["messageId"]) == ("u1", then.isoformat(), "m1")
    one.refresh_from_db()
    assert one.replayed_at is not None
    admin.post(address, {"body": mended})
    assert Inbox.objects.count() == 1


def test_all_of_a_reason_are_replayed_and_what_is_still_wrong_stays(admin: Client, shop: Source) -> None:
    good = '{"type":"track","event":"Opened","userId":"u1","timestamp":"2026-03-12T02:18:00Z"}'
    refuse(shop, good, "sent_at")
    refuse(shop, "{}", "sent_at")
    refuse(shop, good, "too_old")
    admin.post("/stream/refused/replay", {"reason": "sent_at"})
    assert Inbox.objects.count() == 1
    assert list(RefusedEvent.objects.order_by("id").values_list("replayed_at", flat=True))[1:] == [None, None]
    admin.post("/stream/refused/replay", {"reason": "sent_at"})
    assert Inbox.objects.count() == 1


def test_refused_events_are_found_by_source_and_reason(admin: Client, shop: Source) -> None:
    other = sources.add_source(name="App", origins=[], by=None, now=now())[0]
    refuse(shop, "{}", message_id="of-shop")
    refuse(other, "{}", "too_large", message_id="of-app")
    assert "of-app" not in admin.get(f"/stream/refused?source={shop.pk}").text
    page = admin.get("/stream/refused?reason=too_large").text
    assert ("of-app" in page, "of-shop" in page) == (True, False)
    assert admin.get("/stream/refused?source=x&reason=nothing&page=x").status_code == 200


def test_refused_events_are_forgotten_after_a_week(shop: Source) -> None:
    refuse(shop, "{}", received_at=now() - timedelta(days=8))
    kept = refuse(shop, "{}", received_at=now() - timedelta(days=6))
    StreamMinute.objects.create(source=shop, minute=now() - timedelta(days=31))
    assert replaying.forget_old(now=now()) == 1
    assert RefusedEvent.objects.get() == kept
    assert not StreamMinute.objects.exists()


def test_personal_data_in_the_stream_is_for_those_who_may_see_it(admin: Client, hire: Hire, shop: Source) -> None:
    marketer = hire("Mo", "marketer")
    event = {"type": "identify", "messageId": "m", "userId": "mei@company.example", "traits": {"phone": "13800001111"}}
    Inbox.objects.create(source_id=shop.pk, received_at=now(), events=1, body=msgspec.json.encode([event]))
    one = refuse(shop, '{"traits":{"phone":"13800001111"}}')
    for address in ("/stream", "/stream/now", f"/stream/refused/{one.pk}"):
        assert "13800001111" in admin.get(address).text
        seen = marketer.get(address)
        assert seen.status_code == 200
        assert "13800001111" not in seen.text
        assert "mei@company" not in seen.text
    assert marketer.post(f"/stream/refused/{one.pk}", {"body": "{}"}).status_code == 200
    assert marketer.post("/stream/refused/replay", {"reason": "no_person"}).status_code == 403


def test_the_live_stream_shows_rate_lag_and_refusals(admin: Client, shop: Source) -> None:
    last = now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    StreamMinute.objects.create(source=shop, minute=last, accepted=600, duplicates=60, refused=7)
    Inbox.objects.create(source_id=shop.pk, received_at=now() - timedelta(seconds=30), events=3, body=b"not json")
    page = admin.get("/stream")
    pulse = page.context["pulse"]
    assert (pulse.per_second, pulse.waiting, pulse.refused, pulse.duplicates) == (11.0, 3, 7, 60)
    assert 29 < pulse.lag_seconds < 60


def test_features_are_listed_found_and_named(admin: Client, db: None) -> None:
    one = Feature.objects.create(name="report_opened", first_at=now(), last_at=now(), count=12)
    Feature.objects.create(name="signed_in", first_at=now(), last_at=now(), count=5)
    admin.post(f"/stream/features/{one.pk}", {"title": "Reports"})
    page = admin.get("/stream/features?q=report").text
    assert ("Reports" in page, "signed_in" in page) == (True, False)
    assert AuditLine.objects.get(action="feature.named").detail == {"before": "", "after": "Reports"}


@pytest.mark.django_db(transaction=True)
def test_the_catalogue_draws_how_often_each_feature_was_used_by_day(admin: Client) -> None:
    moment = now()
    days = [(0, 2), (1, 1), (29, 2), (30, 9), (0, 1)]  # Days ago, and how often; a day comes twice, one is not drawn.
    for place, (ago, times) in enumerate(days):
        happened = (moment - timedelta(days=ago)).isoformat()
        put_in(*(event(f"{place}-{number}", timestamp=happened) for number in range(times)), received=moment)
        drain(moment)
    put_in({"type": "identify", "messageId": "i", "userId": "u1"}, received=moment)
    drain(moment)
    found = Feature.objects.get()
    shown = stream.daily([found], today=company.today(moment))[found.pk]
    assert shown.counts == [2, *[0] * 27, 1, 3]
    assert [shown.drawn[0], shown.drawn[-1]] == pytest.approx([66.7, 100], abs=0.1)
    for address in ("/stream/features", f"/stream/features/{found.pk}"):
        page = admin.get(address).text
        assert 'class="spark acc"' in page
        assert "6 times in the last 30 days" in page
    replaying.forget_old(now=moment + timedelta(days=401))
    assert 'aria-label="0 times' not in admin.get("/stream/features").text  # Nothing to draw, nothing to announce.
    assert not FeatureDay.objects.exists()


@pytest.mark.parametrize("address", ["/settings/sources", "/stream/refused", "/stream/features", "/stream"])
def test_lists_ask_the_same_number_of_questions_however_long_they_are(
    admin: Client, shop: Source, address: str, django_assert_num_queries: Any
) -> None:
    for number in range(30):
        source = sources.add_source(name=f"S{number}", origins=[], by=None, now=now())[0]
        refuse(source, "{}")
        Feature.objects.create(name=f"f{number}", first_at=now(), last_at=now())
    admin.get(address)
    with django_assert_num_queries(QUERIES[address]):
        assert admin.get(address).status_code == 200


QUERIES = {"/settings/sources": 6, "/stream/refused": 9, "/stream/features": 8, "/stream": 10}


@pytest.mark.parametrize("address", ["/settings/sources", "/stream/refused", "/stream/features", "/stream"])
def test_empty_lists_say_what_they_are_for(admin: Client, address: str) -> None:
    assert 'class="empty"' in admin.get(address).text


def test_every_reason_is_a_sentence() -> None:
    assert all(said[0].isupper() or said[0] == "“" or said.startswith("sentAt") for said in REASONS.values())
    assert all(said.endswith(".") and len(key) <= 40 for key, said in REASONS.items())
