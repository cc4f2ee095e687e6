"""The lines of the public page: published numbers and nothing else."""

import pytest

from hedgerow.web.charts.published import curves


def a_page(day, reporting, rows=None, other=None):
    table = {"withheld": "too few reports"}
    if rows is not None:
        told = [{"value": name, "count": count} for name, count in rows.items()]
        table = {"as_of": day, "rows": told, "other": other, "total": reporting}
    return {"as_of": day, "reporting": reporting, "tables": {"version": table}}


PAGES = [
    a_page("2026-03-01", 40, {"2.9.0": 30, "3.0.0": 10}),
    a_page("2026-03-02", 40, {"2.9.0": 20, "3.0.0": 10}, other=10),
    a_page("2026-03-05", 80, {"2.9.0": 20, "3.0.0": 40, "3.1.0": 20, "development": 0}),
]


def test_reporting_installations_are_drawn_day_by_day_up_to_the_highest():
    chart = curves(PAGES)[0]

    assert chart.top == "80"
    assert [line.points for line in chart.lines] == ["0.0,500.0 250.0,500.0 1000.0,0.0"]
    assert chart.rows == [["2026-03-05", "80"], ["2026-03-02", "40"], ["2026-03-01", "40"]]


def test_adoption_counts_those_on_a_release_or_above_of_all_in_the_table():
    chart = curves(PAGES)[1]

    assert [line.name for line in chart.lines] == ["3.1.0", "3.0.0", "2.9.0"]
    shares = [[one.replace("\u202f", " ") for one in row] for row in chart.rows]
    assert shares[0] == ["2026-03-05", "25 %", "75 %", "100 %"]
    assert shares[1] == ["2026-03-02", "\u2013", "25 %", "75 %"]


def test_a_release_that_was_hidden_has_no_value_on_that_day():
    assert curves(PAGES)[1].lines[0].points == "1000.0,750.0"


def test_days_are_drawn_once_however_often_they_were_published():
    assert curves([*PAGES[:1], *PAGES]) == curves(PAGES)


@pytest.mark.parametrize(
    "pages",
    [
        [],
        PAGES[:1],
        [a_page("2026-03-01", None), a_page("2026-03-02", None)],
    ],
    ids=["nothing", "one day", "withheld"],
)
def test_without_two_days_there_is_no_line(pages):
    assert curves(pages) == []
