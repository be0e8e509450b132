"""Files as spreadsheets and shops really write them: encodings, delimiters, quotes, and what is no table."""

import codecs

import pytest
from hypothesis import given, strategies

from filereading import drafts, form_of, notes, read
from shopwright.contracts.money import Money
from shopwright.products.imports.readers import values
from shopwright.products.imports.readers.reading import BadFile

MUGS = "slug,name,sku,price,stock\nmug,Grüße Mug,MUG,19.99,5\njug,Jug,JUG,7.50,\n"


def outcome(call, *arguments):
    """What `call` gives, or the words of its refusal."""
    try:
        return call(*arguments)
    except (ValueError, BadFile) as error:
        return str(error)


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
    def test_are_recognised(self, encoding):
        assert drafts(MUGS.encode(encoding))["mug"].name == "Grüße Mug"

    def test_utf_8_is_told_from_windows_by_the_whole_file(self):
        long = MUGS.replace("Grüße", "x") + "".join(f"m{n},M,M{n},1.00,\n" for n in range(20_000))

        assert form_of((long + "last,Grüße,LAST,1.00,\n").encode("cp1252")).encoding == "cp1252"
        assert form_of((long + "last,Grüße,LAST,1.00,\n").encode()).encoding == "utf-8"


class TestTables:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_have_any_of_the_delimiters(self, delimiter):
        assert drafts(MUGS.replace(",", delimiter)).keys() == {"mug", "jug"}

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_have_any_end_of_line(self, end):
        assert drafts(MUGS.replace("\n", end)).keys() == {"mug", "jug"}

    def test_of_excel_may_say_their_delimiter_first(self):
        assert drafts("sep=;\n" + MUGS.replace(",", ";")).keys() == {"mug", "jug"}

    def test_have_quoted_fields_over_several_lines_and_lines_are_still_counted(self):
        text = 'slug,name,sku,price,description\nmug,Mug,MUG,1.00,"one\ntwo, ""three"""\njug,Jug,JUG,x,\n'

        found = read(text)

        assert found[0].draft.description == 'one\ntwo, "three"'
        assert [note.line for note in found[1].notes] == [4]

    def test_may_have_stray_nul_characters_and_blank_lines(self):
        assert drafts(MUGS.replace("Mug", "M\0ug").replace("\njug", "\n\n,,,,\njug")).keys() == {"mug", "jug"}

    def test_may_have_columns_in_any_case_and_order(self):
        assert drafts("PRICE, Sku ,Slug,Name\n1.00,MUG,mug,Mug\n")["mug"].variants[0].sku == "MUG"

    def test_refuse_only_the_row_with_too_many_fields(self):
        found = read(MUGS + "cup,Cup,CUP,7,50,3\nbowl,Bowl,BOWL,1.00,\n")

        assert [one.draft and one.draft.slug for one in found] == ["mug", "jug", None, "bowl"]
        assert "6 fields and the header 5 columns" in found[2].notes[0].detail

    def test_whose_quotation_mark_is_not_closed_say_where_it_begins(self):
        with pytest.raises(BadFile, match="begins on line 3"):
            read('slug,name,sku,price\nmug,Mug,MUG,1\njug,"Jug,JUG,1\n' + "x,y,z,1\n" * 200_000)

    def test_with_an_endless_line_are_refused(self):
        with pytest.raises(BadFile, match="longer than"):
            read("slug,name,sku,price\n" + "x" * 5_000_000)

    def test_bring_rows_of_a_product_together_wherever_they_stand(self):
        rows = "mug,Mug,MUG-S,1.00,S\njug,Jug,JUG,1.00,\nmug,,MUG-L,2.00,L\n"

        found = drafts("slug,name,sku,price,option:Size\n" + rows)

        assert [variant.sku for variant in found["mug"].variants] == ["MUG-S", "MUG-L"]


class TestWhatIsNoProductFile:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "the file is empty"),
            (b" \r\n\0", "the file is empty"),
            (b"email,first_name,last_name\n", "these are customers"),
            (b"Name;Email;Financial Status\n", "these are orders"),
            (b"slug,locale,name\n", "these are translations of products"),
            (b"colour,size\nred,5\n", "no product file we know has the columns colour, size"),
            (b"<html>", "HTML or XML"),
            (b'{"orders": []}', "no list of products"),
            (b"\x89PNG\r\n", "a picture"),
            (b"%PDF-1.7", "a PDF document"),
            (b"\xd0\xcf\x11\xe0\xa1", "an old Excel workbook"),
        ],
    )
    def test_is_refused_with_what_it_is(self, content, words):
        with pytest.raises(BadFile, match=words):
            form_of(content)

    def test_is_read_anyway_when_the_caller_names_the_format(self):
        assert notes("slug,sku\nmug,MUG\n", format="csv") == [
            ("refused", 2, "/name"),
            ("refused", 2, "/price:EUR"),
        ]


class TestPrices:
    @pytest.mark.parametrize(
        ("text", "minor"),
        [
            ("19.99", 1999), ("19,99", 1999), ("1,299.00", 129900), ("1.299,00", 129900), ("1299", 129900),
            ("1 299,5", 129950), ("1'299.50", 129950), ("40.000", 4000), ("0", 0), (".5", 50),
            ("1,234,567.8", 123456780),
        ],
    )  # fmt: skip
    def test_are_read_exactly_however_they_are_written(self, text, minor):
        assert values.money(text, "EUR") == Money(minor, "EUR")

    @pytest.mark.parametrize(
        "text", ["1,299", "1,2,3", "cheap", "19.999", "1e3", "-1", "NaN", "Infinity", "", "$5", "1" * 40]
    )
    def test_that_could_mean_two_things_or_nothing_are_refused(self, text):
        with pytest.raises(ValueError, match=r"\bis\b|can be|are more|has more"):
            values.money(text, "EUR")

    def test_have_the_digits_of_their_currency(self):
        assert values.money("1299", "JPY") == Money(1299, "JPY")
        assert values.money("1.5", "KWD") == Money(1500, "KWD")
        with pytest.raises(ValueError, match="more digits than JPY holds"):
            values.money("1.5", "JPY")

    @given(strategies.integers(0, 10**12), strategies.sampled_from(["EUR", "JPY", "KWD"]))
    def test_survive_being_written_and_read(self, minor, currency):
        money = Money(minor, currency)

        assert values.money(str(money).split()[0], currency) == money

    @given(strategies.text(max_size=30))
    def test_of_any_text_are_read_or_refused_in_words(self, text):
        found = outcome(values.money, text, "EUR")

        assert found != ""
        assert isinstance(found, str) or found.minor >= 0


class TestOtherValues:
    @pytest.mark.parametrize(
        ("text", "unit", "grams"),
        [("1.5", "kg", 1500), ("19.8", "lb", 8981), ("3,5", "oz", 99), ("200", "g", 200), ("0", "kg", 0)],
    )
    def test_weights_become_grams(self, text, unit, grams):
        assert values.grams(text, unit) == grams

    @pytest.mark.parametrize(("text", "unit"), [("x", "kg"), ("1", "stone"), ("-1", "g"), ("NaN", "g")])
    def test_weights_that_are_none_are_refused(self, text, unit):
        with pytest.raises(ValueError, match=r"\bis\b|can be|are more|has more"):
            values.grams(text, unit)

    @pytest.mark.parametrize(("text", "units"), [("5", 5), ("5.0", 5), ("-3", 0), ("1000", 1000)])
    def test_stock_is_counted_in_whole_units_and_never_below_none(self, text, units):
        assert values.count(text) == units

    @pytest.mark.parametrize("text", ["five", "1.5", "1" * 12, "Infinity"])
    def test_stock_that_is_no_number_of_units_is_refused(self, text):
        with pytest.raises(ValueError, match=r"\bis\b|can be|are more|has more"):
            values.count(text)

    def test_lists_keep_an_escaped_separator(self):
        assert values.listed(r"Bags\, small, Hats, , Hats") == ["Bags, small", "Hats"]

    def test_plain_text_becomes_paragraphs_and_html_stays(self):
        assert values.as_html("a & b\nc\n\nd") == "<p>a &amp; b<br>c</p><p>d</p>"
        assert values.as_html("<p>a</p>") == "<p>a</p>"


STARTS = (b"", b"slug,name,sku,price\n", b"Handle,Title,Variant Price\n", codecs.BOM_UTF16_LE, b'{"slug":')


@given(strategies.sampled_from(STARTS), strategies.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(start, content):
    found = outcome(read, start + content)

    assert found != ""
    assert isinstance(found, str) or all(one.draft or one.notes for one in found)
