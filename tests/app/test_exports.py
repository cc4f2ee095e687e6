"""Downloads: every dataset in every format, switches, limits, what is told, column sets."""

import csv
import io
import json

import openpyxl
import pypdf
import pytest

from app.exports import columns, document, text, workbook
from app.exports.columns import Column, Sheet
from app.models.records import AuditLog

from .reporting_world import app, bob, house, opened, worked

ENTRIES_V1 = """
    id user client project task description tags billable date start end timezone start_utc
    end_utc duration_seconds duration_hms duration_hours break_seconds rounded_seconds rate
    amount currency source created_at updated_at
"""
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]


__all__ = ["app", "bob", "house", "opened", "worked"]  # fixtures of this module, too


def body(answer):
    return answer.get_data()


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def book(answer):
    return openpyxl.load_workbook(io.BytesIO(answer.get_data()))


def paper(answer):
    pages = pypdf.PdfReader(io.BytesIO(answer.get_data())).pages
    return "\n".join(page.extract_text() for page in pages)


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("csv", b""), ("xlsx", b"PK"), ("pdf", b"%PDF"), ("json", b'{"version": "')],
)
def test_every_dataset_comes_in_every_format(worked, kind, begins):
    for dataset in columns.DATASETS:
        answer = worked.get(f"/export/{dataset}.{kind}")
        assert answer.status_code == 200
        assert body(answer).startswith(begins)
        if kind == "json":
            found = json.loads(body(answer))
            assert found["version"] == f"{dataset}-v1"
            assert found["results"]


def test_entries_carry_rate_amount_and_rounded_time(app, worked):
    app.config["ROUNDING_MINUTES"] = 15
    first = table(worked.get("/export/entries.csv?sort=date"))[0]

    assert (first["rate"], first["amount"], first["currency"]) == ("95.00", "95.00", "EUR")
    assert (first["duration_seconds"], first["rounded_seconds"]) == ("3900", "3600")
    assert (first["duration_hms"], first["duration_hours"]) == ("1:05:00", "1.08")
    second = table(worked.get("/export/entries.csv?sort=date"))[1]
    assert (second["rate"], second["amount"], second["currency"]) == ("", "", "")


def test_the_columns_of_entries_stay_where_they_are():
    assert [c.key for c in columns.DATASETS["entries"]] == ENTRIES_V1.split()


def test_a_workbook_has_types_a_frozen_header_filters_and_totals(worked):
    page = book(worked.get("/export/entries.xlsx?sort=date"))["Entries"]
    named = {cell.value: cell.column for cell in page[1]}

    def cell(row, key):
        return page.cell(row, named[key])

    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref.startswith("A1:")
    assert cell(2, "date").is_date
    assert cell(2, "start").value.isoformat() == "2025-10-20T10:00:00"
    assert cell(2, "duration_hms").number_format == "[h]:mm:ss"
    assert cell(2, "amount").value == 102.92
    assert (cell(2, "description").data_type, cell(2, "description").value) == ("s", "=1+1")
    assert cell(2, "client").data_type == "s"
    assert cell(4, "duration_seconds").value == 5700
    assert cell(4, "amount").value == 102.92


def test_a_workbook_goes_on_on_a_second_sheet_and_says_so():
    rows = [{"id": n} for n in range(5)]
    sheet = Sheet(dataset="entries", columns=[Column(key="id", kind="number")], rows=rows)
    made = openpyxl.load_workbook(io.BytesIO(b"".join(workbook.pieces(sheet, most_rows=3))))

    assert [len(list(page.rows)) for page in made] == [4, 3]
    assert made["Entries"].oddHeader.left.text == "Continued on sheet 2."


def test_a_document_says_range_zone_rounding_and_pages(worked):
    shown = paper(worked.get("/export/entries.pdf?range=today"))

    for said in ("20 Oct 2025", "days in the zone of each entry", "weeks begin on Monday",
                 "exact to the second", "Page 1 of 1", "1:35:00"):  # fmt: skip
        assert said in shown


def test_a_document_ends_at_its_limit_with_a_sentence(app, worked):
    app.config["PDF_MAX_ROWS"] = 1
    shown = paper(worked.get("/export/entries.pdf"))

    assert "Only the first 1 rows are shown here" in shown
    assert "Export as CSV" in shown


def test_long_text_in_a_document_is_folded_and_letters_it_lacks_do_no_harm():
    rows = [{"description": "word " * 200 + "Łódź 🙂 שלום"}] * 60
    sheet = Sheet(
        dataset="entries", columns=[Column(key="description", kind="text")], rows=rows
    )
    made = pypdf.PdfReader(io.BytesIO(b"".join(document.pieces(sheet, document.Paper()))))

    assert len(made.pages) > 1
    assert "..." in made.pages[0].extract_text()


@pytest.mark.parametrize("typed", DANGEROUS, ids=ascii)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(typed):
    sheet = Sheet(
        dataset="entries",
        columns=[Column(key="description", kind="text", title=typed)],
        rows=[{"description": typed}],
    )
    header, line = csv.reader(
        io.StringIO("".join(text.csv_lines(sheet, text.Dialect())), newline="")
    )

    assert (header, line) == ([f"'{typed}"], [f"'{typed}"])
    raw = "".join(text.csv_lines(sheet, text.Dialect(raw=True)))
    assert list(csv.reader(io.StringIO(raw, newline=""))) == [[typed], [typed]]


def test_a_negative_difference_is_a_number_and_not_guarded():
    columns_ = [Column(key="difference", kind="length")]
    sheet = Sheet(dataset="weekly", columns=columns_, rows=[{"difference": -90}])

    assert "".join(text.csv_lines(sheet, text.Dialect())).split() == [
        "difference",
        "-0:01:30",
    ]


def test_separator_decimal_sign_and_byte_order_mark_are_a_choice(worked):
    answer = worked.get(
        "/export/entries.csv?sort=date&separator=semicolon&decimal=comma&bom=1"
    )
    said = answer.get_data(as_text=True)

    assert said.startswith("\ufeffid;user;")
    assert ";1,08;" in said
    assert ";102,92;EUR;" in said


def test_an_export_that_cannot_be_is_refused_by_name(worked):
    refused = {
        "/export/entries.docx": (404, "docx"),
        "/export/secrets.csv": (404, "secrets"),
        "/export/entries.csv?separator=pipe": (422, "pipe"),
        "/export/entries.pdf?paper=a3": (422, "a3"),
        "/export/entries.csv?projekt=1": (422, "projekt"),
        "/export/entries.csv?columns=9": (404, "9"),
        "/export/weekly.csv?by=client": (422, "client"),
    }
    for address, (status, word) in refused.items():
        assert worked.get(address).status_code == status
        assert word in worked.text


def test_exports_off_hides_and_refuses_them_everywhere(app, worked):
    for page in ("/entries", "/reports", "/reports/detailed", "/reports/billable"):
        worked.get(page)
        assert "/export/" in worked.text
        app.config["ENABLE_EXPORTS"] = False
        worked.get(page)
        assert "/export/" not in worked.text
        app.config["ENABLE_EXPORTS"] = True
    app.config["ENABLE_EXPORTS"] = False
    for address in ("/export/entries.xlsx", "/export/options", "/export/summary.csv"):
        assert worked.get(address).status_code == 403


def test_pdf_off_takes_only_pdf_away(app, worked):
    assert "entries.pdf" in worked.get("/entries").get_data(as_text=True)
    app.config["ENABLE_PDF_EXPORT"] = False

    assert "entries.pdf" not in worked.get("/entries").get_data(as_text=True)
    assert "entries.xlsx" in worked.text
    assert worked.get("/export/entries.pdf").status_code == 403
    assert len(table(worked.get("/export/entries.csv"))) == 2


def test_more_rows_than_allowed_are_refused_and_told(app, worked, monkeypatch):
    told = heard(monkeypatch)
    app.config["EXPORT_MAX_ROWS"] = 1
    assert worked.get("/export/entries.csv").status_code == 413
    assert "2 rows; 1 are the most" in worked.text
    app.config["EXPORT_MAX_ROWS"] = 2
    assert len(table(worked.get("/export/entries.csv"))) == 2

    assert told[0] == (
        "export.failed",
        {"experiment_variant": "a", "export_type": "csv", "dataset": "entries",
         "reason": "too_large"},
    )  # fmt: skip


def heard(monkeypatch):
    told = []
    monkeypatch.setattr("app.views.exports.track_event", lambda _who, *a: told.append(a))
    return told


def test_a_whole_download_is_told_once_with_its_variant(app, worked, monkeypatch):
    told = heard(monkeypatch)
    app.config["EXPORT_DIALOG_VARIANT"] = "b"
    body(worked.get("/export/summary.xlsx"))

    [(name, own)] = told
    assert name == "export.completed"
    assert own.pop("duration_ms") >= 0
    assert own == {"experiment_variant": "b", "export_type": "xlsx", "dataset": "summary",
                   "rows": 2, "column_set": "default"}  # fmt: skip


def test_a_file_that_breaks_off_is_told_and_looks_broken(app, worked, monkeypatch):
    told = heard(monkeypatch)

    def broken(*_rows):
        yield {"id": 1}
        raise RuntimeError("disk")

    monkeypatch.setattr("app.exports.files.entries.rows", broken)
    with pytest.raises(RuntimeError, match="disk"):
        worked.get("/export/entries.csv")

    assert told == [("export.failed", {"experiment_variant": "a", "export_type": "csv",
                                       "dataset": "entries", "reason": "error"})]  # fmt: skip


@pytest.mark.parametrize(("variant", "menu"), [("a", True), ("b", False)])
def test_the_experiment_offers_a_menu_or_the_dialog_at_once(app, worked, variant, menu):
    app.config["EXPORT_DIALOG_VARIANT"] = variant
    worked.get("/entries")

    assert ("CSV, for spreadsheets" in worked.text) == menu
    assert "/export/options?dataset=entries" in worked.text
    dialog = worked.get("/export/options?dataset=entries&range=today")
    assert "CSV, for spreadsheets" in dialog.get_data(as_text=True)


def test_the_dialog_leads_to_the_file_it_asks_for(worked):
    answer = worked.get(
        "/export/download?dataset=entries&kind=csv&range=today&columns=&separator=tab"
    )

    assert answer.get_data(as_text=True).startswith("id\tuser\t")


def test_an_export_is_in_the_audit_trail_with_its_rows(app, worked):
    body(worked.get("/export/entries.csv"))
    with app.extensions["database"].reading() as session:
        line = session.query(AuditLog).filter_by(action="export").one()

    assert line.changes == {"dataset": [None, "entries"], "rows": [None, 2]}


def test_users_and_audit_are_for_administrators(worked, bob):
    assert bob.get("/export/users.csv").status_code == 403
    assert bob.get("/export/audit.csv").status_code == 403
    assert bob.get("/export/entries.csv").get_data(as_text=True).count("\n") == 1


def test_who_may_not_see_rates_gets_no_column_of_them(worked, bob):
    for dataset in ("entries", "billable", "summary"):
        said = bob.get(f"/export/{dataset}.csv").get_data(as_text=True).splitlines()[0]
        assert not columns.MONEY & set(said.split(","))


CHOSEN = {
    "dataset": "entries", "name": "Invoice", "key": ["amount", "date", "project"],
    "place_date": "1", "place_project": "2", "place_amount": "3", "title_date": "Day",
}  # fmt: skip


def test_a_column_set_chooses_orders_and_renames(worked, monkeypatch):
    told = heard(monkeypatch)
    worked.post("/export/columns/save", CHOSEN)
    first = worked.get("/export/entries.csv?columns=1&sort=date").get_data(as_text=True)

    assert first.splitlines()[:2] == ["Day,project,amount", "2025-10-20,Training,102.92"]
    assert told[0][1]["column_set"] == "custom"


def test_a_column_set_needs_a_name_and_a_column(worked):
    assert worked.post("/export/columns/save", {**CHOSEN, "name": ""}).status_code == 422
    assert worked.post("/export/columns/save", {**CHOSEN, "key": []}).status_code == 422


def test_a_shared_column_set_is_used_and_copied_but_not_changed(worked, bob):
    worked.post("/export/columns/save", CHOSEN)
    assert bob.get("/export/entries.csv?columns=1").status_code == 404

    worked.post("/export/columns/save", {**CHOSEN, "number": "1", "shared": "1"})
    header = bob.get("/export/entries.csv?columns=1").get_data(as_text=True).splitlines()[0]
    assert header == "Day,project"  # the amount is nothing bob may see
    assert "Copy of Invoice" in bob.get("/export/columns/1").get_data(as_text=True)
    assert bob.post("/export/columns/save", {**CHOSEN, "number": "1"}).status_code == 404
    assert bob.post("/export/columns/1/delete").status_code == 404
    assert worked.post("/export/columns/1/delete").status_code == 200
