from zhike.measure import turns
from zhike.measure.models import CustomerFacts
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book


def test_a_day_is_measured(book: Book, spec: MeasureSpec) -> None:
    book.fill(1)
    done = turns.measure(spec, today=TODAY, now=NOW)
    assert done.customers == CustomerFacts.objects.count() == 30
