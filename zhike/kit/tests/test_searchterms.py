import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zhike.kit.searchterms import query_of, sort_key, terms_of

TERMS = terms_of(
    "张三丰 ACME O'Brien Ltd",
    phones=["+86 138-0013-8000", "010-62345678转801"],
    emails=["San.Feng@Example.cn"],
    codes=["C-000123"],
)

LEXEME = re.compile(r"'((?:[^'\\]|''|\\.)+)'(:\*)?")


def matches(query: str, terms: Sequence[str]) -> bool:
    """Answer a tsquery as PostgreSQL does; raises when it is not one."""
    position = 0

    def skip() -> None:
        nonlocal position
        while query[position : position + 1] == " ":
            position += 1

    def either() -> bool:
        nonlocal position
        found = both()
        while query[position : position + 1] == "|":
            position += 1
            found = both() or found
        return found

    def both() -> bool:
        nonlocal position
        found = one()
        while query[position : position + 1] == "&":
            position += 1
            found = one() and found
        return found

    def one() -> bool:
        nonlocal position
        skip()
        if query[position] == "(":
            position += 1
            found = either()
            assert query[position] == ")"
            position += 1
        else:
            lexeme = LEXEME.match(query, position)
            assert lexeme is not None, query[position:]
            position = lexeme.end()
            word = re.sub(r"''|\\(.)", lambda pair: pair[1] or "'", lexeme[1])
            found = any(term.startswith(word) if lexeme[2] else term == word for term in terms)
        skip()
        return found

    answer = either()
    assert position == len(query), query[position:]
    return answer


@pytest.mark.parametrize(
    "text",
    [
        "张", "三丰", "张三丰", "zhang", "zhangsan", "ZhangSanFeng", "sanfeng", "zs", "zsf", "sf", "z",
        "zhang san", "张 san", "acme", "ACM", "ａｃｍｅ", "Ácme", "o'brien", "obrien", "brien",
        "8000", "13800138000", "138-0013-8000", "+86 138 0013 8000", "008613800138000", "5678", "(010) 6234-5678",
        "san.feng@example.cn", "SAN.FENG@", "feng", "example.cn", "@example",
        "C-000123", "c000123", "0001", "张三丰 8000", "三丰，acme", "张三丰8000", "acme:*", "'张' & 'zhang'",
    ],
)  # fmt: skip
def test_the_customer_is_found_by(text: str) -> None:
    assert matches(query_of(text), TERMS)


@pytest.mark.parametrize(
    "text",
    ["李", "三张", "丰三", "wang", "zf", "hang", "800", "0138", "cme", "brie n", "张三丰 9999", "张 li", "0123"],
)
def test_the_customer_is_not_found_by(text: str) -> None:
    assert not matches(query_of(text), TERMS)


@pytest.mark.parametrize("text", ["8000", "13800138000", "138-0013-8000", "san.feng@example.cn", "@example", "exam"])
def test_personal_data_finds_nobody_for_those_who_may_not_see_it(text: str) -> None:
    assert matches(query_of(text), TERMS)
    assert not matches(query_of(text, personal=False), TERMS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("重庆银行", "chongqingyinhang"), ("重庆银行", "cqyh"), ("重庆银行", "yinhang"), ("曾国藩", "zeng"),
        ("单雄信", "shan"), ("单雄信", "dan"), ("吕布", "lv"), ("吕布", "lu"), ("吕布", "lyubu"), ("吕布", "lü"),
        ("尉迟恭", "yuchi"), ("〇一科技", "ling"), ("ﾄﾖﾀ", "トヨタ"), ("Müller Straße", "strasse"),
        ("Østerbro", "osterbro"),
    ],
)  # fmt: skip
def test_readings_and_scripts(name: str, text: str) -> None:
    assert matches(query_of(text), terms_of(name))


@pytest.mark.parametrize("text", ["", "  ", "!?", "&|:*()", "'", "\\", "\0", "\ud800"])
def test_nothing_to_look_for_is_an_empty_query(text: str) -> None:
    assert query_of(text) == ""


def test_terms_are_distinct_and_bounded() -> None:
    name = "天" * 5_000 + "a" * 5_000
    terms = terms_of(
        name, emails=["x" * 5_000 + "@y.cn", "no address"], phones=["1" * 5_000, "12", ""], codes=["Z" * 5_000]
    )
    assert len(terms) == len(set(terms))
    assert max(map(len, terms)) <= 260
    assert len(terms) < 200
    assert matches(query_of("z" * 5_000), terms)


@given(st.text(max_size=400), st.booleans())
def test_every_text_gives_a_valid_query(text: str, personal: bool) -> None:
    query = query_of(text, personal=personal)
    assert "\0" not in query
    query.encode()
    if query:
        matches(query, TERMS)
    if not personal:
        assert "'e:" not in query
        assert "'d:" not in query


@given(st.text(alphabet=st.sampled_from("张三丰重庆吕a1Éß-.'@+ ()转，ｘ〇"), max_size=24))
def test_every_name_is_found_by_itself_and_by_its_beginning(name: str) -> None:
    terms = terms_of(name)
    for text in (name, name[: len(name) // 2]):
        query = query_of(re.sub(r"[@+()]", " ", text))
        assert not query or matches(query, terms)


@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=2))
def test_every_text_gives_storable_terms(name: str, others: list[str]) -> None:
    for term in terms_of(name, phones=others, emails=others, codes=others):
        assert term
        assert "\0" not in term
        term.encode()


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.integers(4, 11))
@example("13000000086", 4)
@example("13000000861", 5)
def test_a_telephone_is_found_by_every_tail(phone: str, length: int) -> None:
    assert matches(query_of(phone[-length:]), terms_of("", phones=[phone]))


def test_names_sort_by_pinyin_with_surnames_together() -> None:
    names = ["赵云", "张飞", "Zeta", "章邯", "张三丰", "阿里", "李娜", "林丹", "Acme", "曾国藩", "重庆银行"]
    assert sorted(names, key=lambda name: sort_key(name).encode()) == [
        "阿里", "Acme", "重庆银行", "李娜", "林丹", "曾国藩", "Zeta", "张飞", "张三丰", "章邯", "赵云",
    ]  # fmt: skip


@given(st.text(max_size=200))
def test_every_name_has_a_storable_sort_key(name: str) -> None:
    key = sort_key(name)
    assert key.isprintable()
    key.encode()
