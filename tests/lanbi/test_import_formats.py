"""Readers of foreign files: bytes to rows, and the place of everything that is wrong."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from domain.civil import iso
from domain.errors import FileError, InputError
from lanbi.formats.rows import Fault, Row, Said
from lanbi.formats.sources import formats, known, open_source
from lanbi.formats.survey import survey

DAILY = "city,date,aqi,level,pm25,pm10,so2,co,no2,o3_8h\n"
LIVE = "stationcode,timepoint,area,positionname,pm2_5,pm10,so2,no2,co,feed_O3,feed_O3_24h\n"
RECORD = """<b:AQIDataPublishLive><b:AQI>&mdash;</b:AQI><b:CO>1.2</b:CO><b:NO2>&mdash;</b:NO2><b:O3>216</b:O3><b:O3_24h>170</b:O3_24h>
<b:OpenAccessGenerated><c:string>&lt;?xml version="1.0"?&gt;</c:string></b:OpenAccessGenerated>
<b:PM10>80</b:PM10><b:PM2_5>42</b:PM2_5><b:PositionName>某站　</b:PositionName><b:SO2>6</b:SO2><b:StationCode>1031A</b:StationCode>
<b:TimePoint>2019-07-18T12:00:00</b:TimePoint></b:AQIDataPublishLive>"""


def rows_of(path: Path, text: str | bytes, wanted: str = "auto") -> list[Row | Said | Fault]:
    """Rows of a file with this content."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(open_source(str(path), wanted).rows())


def one_row(path: Path, text: str | bytes) -> Row:
    """The only row of a file, which must be a reading."""
    (row,) = rows_of(path, text)
    assert isinstance(row, Row)
    return row


def feed(*records: str, prolog: str = "") -> str:
    """A feed of these records."""
    return f'{prolog}<r xmlns:b="urn:b" xmlns:c="urn:c"><b:RootResults>{"".join(records)}</b:RootResults></r>'


def test_the_hour_of_ozone_is_the_field_that_says_24h(tmp_path: Path) -> None:
    """The feed's names are swapped: its O3 is a maximum over past hours and never the hour."""
    row = one_row(tmp_path / "a.csv", LIVE + "1031A,2019-07-18T12:00:00,某市,某站,42.0,80.0,6.0,12.0,0.7,216.0,170.0\n")

    assert 170.0 == row.values["o3"]
    assert ("1031A", "某站", "某市", 3600) == (row.names[0], row.title, row.area, row.span)
    assert "2019-07-18T12:00:00+08:00" == iso(row.time)


def test_a_feed_without_the_swapped_names_still_means_the_same(tmp_path: Path) -> None:
    """A CSV with the feed's own names gives the hour from O3_24h; one that has only O3 is refused."""
    own = LIVE.replace("feed_", "")
    assert 170.0 == one_row(tmp_path / "a.csv", own + "1031A,2019-07-18T12:00:00,,,42,80,6,12,0.7,216,170\n").values["o3"]

    with pytest.raises(FileError, match="o3_24h"):
        rows_of(tmp_path / "b.csv", own.replace(",O3_24h", ",x") + "1031A,2019-07-18T12:00:00,,,42,80,6,12,0.7,216,170\n", "cnemc-live")


def test_the_feeds_undefined_entity_is_a_missing_value(tmp_path: Path) -> None:
    """&mdash; is declared nowhere; it means missing, and the record keeps its other items and its line."""
    found = rows_of(tmp_path / "a.xml", feed(RECORD, "\n\n" + RECORD.replace("1031A", "1032A")))

    assert [{"pm25": 42.0, "pm10": 80.0, "so2": 6.0, "co": 1.2, "o3": 170.0}] * 2 == [row.values for row in found if isinstance(row, Row)]
    assert [1, 6] == [row.line for row in found]
    assert "某站" == found[0].title  # type: ignore[union-attr]


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    """Without a DTD there is no entity that could load a file or grow without end."""
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n'

    with pytest.raises(FileError, match="DTD"):
        rows_of(tmp_path / "a.xml", feed(RECORD.replace("某站", "&b;"), prolog=bomb))


@pytest.mark.parametrize("text", ["<a><b></a>", feed(RECORD)[:300], feed(RECORD.replace("&mdash;", "&nonsense;")), "<a/>"])
def test_xml_that_is_none_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    """A cut, damaged or foreign XML gives one message that names the file."""
    with pytest.raises(FileError) as told:
        rows_of(tmp_path / "a.xml", text)

    assert str(tmp_path / "a.xml") in told.value.where


def test_each_source_has_its_own_marks_for_missing(tmp_path: Path) -> None:
    """'-;' is missing in the feed and NaN in PM25.in, but a bad number where nobody agreed on it."""
    live = one_row(tmp_path / "a.csv", LIVE + "1031A,2018-02-20T07:00:00,-;,某站,-;,-,—,12,0.7,,\n")
    pm25in = "Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2\n20200402,08,某站,NaN,—,NaN,NaN,45,0.6,21,51,65,—\n"

    assert {"no2": 12.0, "co": 0.7} == live.values
    assert {"pm10": 45.0, "co": 0.6, "no2": 21.0, "o3": 51.0} == one_row(tmp_path / "b.csv", pm25in).values
    assert isinstance(rows_of(tmp_path / "c.csv", "site,time,pm25\na,2020-01-01 01:00,-;\n")[0], Fault)


def test_hour_00_is_the_last_hour_of_the_day_before(tmp_path: Path) -> None:
    """PM25.in's date and hour are an end label; a workbook's hour without leading zero is the same."""
    head = "Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2\n"
    found = rows_of(tmp_path / "a.csv", head + "20200402,00,某站,,,,1,,,,,,\n20200402,8,某站,,,,1,,,,,,\n20200401,24,某站,,,,1,,,,,,\n")

    assert ["2020-04-02T00:00:00+08:00", "2020-04-02T08:00:00+08:00", "2020-04-02T00:00:00+08:00"] == [iso(row.time) for row in found if isinstance(row, Row)]


def test_zero_is_missing_in_daily_particles_and_ozone_only(tmp_path: Path) -> None:
    """A day without particles was deducted; an hour of 0 is a value, and so is a day without SO2."""
    daily = one_row(tmp_path / "a.csv", DAILY + "济南,2017-05-05,222,重度污染,0,0,0,0.7,43,0\n")
    hourly = one_row(tmp_path / "b.csv", "site,time,pm25,o3\na,2017-05-05 01:00,0,0\n")

    assert {"so2": 0.0, "co": 0.7, "no2": 43.0} == daily.values
    assert {"pm25": 0.0, "o3": 0.0} == hourly.values


def test_a_daily_row_is_a_reading_of_its_24_hours_with_the_published_index_beside_it(tmp_path: Path) -> None:
    """Its label is the day's 24:00; AQI 0 is no index."""
    found = rows_of(tmp_path / "a.csv", DAILY + "济南,2016-01-01,144,轻度污染,110,172,49,1.2,40,81\n济南,2018-05-28,0,无,0,0,18,0.6,33,238\n")

    assert ["2016-01-02T00:00:00+08:00", "2018-05-29T00:00:00+08:00"] == [iso(row.time) for row in found if isinstance(row, Row)]
    assert [(86_400, (144.0, "轻度污染")), (86_400, None)] == [(row.span, row.published) for row in found if isinstance(row, Row)]


def test_carbon_monoxide_of_the_beijing_set_is_in_micrograms(tmp_path: Path) -> None:
    """900 µg/m³ is 0.9 mg/m³, exactly; wind comes as one of 16 points."""
    head = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
    row = one_row(tmp_path / "a.csv", head + "1,2015,1,2,0,38,NA,2,41,900,30,-1.5,1020.1,-12,0,SSE,0.6,Wanliu\n")

    assert {"pm25": 38, "so2": 2, "no2": 41, "co": 0.9, "o3": 30, "temp": -1.5, "pressure": 1020.1, "wind_speed": 0.6, "wind_dir": 157.5} == row.values
    assert "2015-01-02T00:00:00+08:00" == iso(row.time)


def test_a_row_without_values_is_empty_but_seen(tmp_path: Path) -> None:
    """A dead name reports nothing every hour: counted, no reading, no fault."""
    path = tmp_path / "a.csv"
    path.write_text("site,time,pm25\n二轻机（已停运）,2020-01-01 01:00,\n某站\u3000,2020-01-01 01:00,5\n,,\n", encoding="utf-8")
    found = survey([str(path)])

    assert (2, 1) == (found.read, found.empty)
    assert [("二轻机（已停运）", 0), ("某站", 1)] == [(seen.name, seen.readings) for seen in found.places.values()]


def test_every_fault_is_told_with_line_and_column(tmp_path: Path) -> None:
    """A quoted cell of two lines counts as two; the first fault comes in full, the others under it."""
    path = tmp_path / "a.csv"
    text = 'site,time,pm25,pm10\n"a",2020-01-01 01:00,"1","2\n"\na,2020-01-01 25:00,1,2\na,2020-01-01 01:30,1,2\na,2020-01-01 02:00,240.x,2\n,2020-01-01 02:00,1,\na,2020-01-01 03:00\n'
    path.write_text(text, encoding="utf-8")

    with pytest.raises(FileError) as told:
        survey([str(path)])

    assert f"{path}, line 4, column time" == told.value.where
    assert 5 == len(str(told.value.what).splitlines())
    for words in (
        "line 5, column time: not a whole hour",
        "line 6, column pm25: not a number: '240.x'",
        "line 7, column site: an empty cell",
        "line 8: 2 cells",
    ):
        assert words in told.value.what


@pytest.mark.parametrize("cell", ["nan", "inf", "1_000", "１２", "0x10", "1e999", "--5", "1,2"])
def test_only_a_finite_decimal_is_a_number(tmp_path: Path, cell: str) -> None:
    """What Python would take for a number is none in a file."""
    (found,) = rows_of(tmp_path / "a.csv", f'site,time,pm25\na,2020-01-01 01:00,"{cell}"\n')

    assert isinstance(found, Fault)


@pytest.mark.parametrize("time", ["2020-02-30 01:00", "1900-01-01 00:00", "0016-01-01 00:00", "31/12/2018 23:00", "now", "2020-01-01 01:00:00.5"])
def test_a_wrong_time_is_a_fault(tmp_path: Path, time: str) -> None:
    """A time is never guessed."""
    (found,) = rows_of(tmp_path / "a.csv", f"site,time,pm25\na,{time},5\n")

    assert isinstance(found, Fault) and "time" == found.column


def test_bytes_decide_what_a_file_is(tmp_path: Path) -> None:
    """Packed, with a byte order mark, tab-separated or in GB18030: the same row; only the last is worth a word."""
    text = DAILY + "济南,2016-01-01,144,轻度污染,110,172,49,1.2,40,81\n"
    whole = one_row(tmp_path / "a.csv", text)
    others = (gzip.compress(text.encode()), b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), text.replace(",", "\t").encode(), text.encode("gb18030"))

    assert [whole] * 4 == [one_row(tmp_path / "b.dat", data) for data in others]
    assert ["GB18030" in words for words in open_source(str(tmp_path / "b.dat")).notices] == [True]


def test_a_workbook_is_read_like_a_csv(tmp_path: Path) -> None:
    """Numbers, dates and missing cells of the first sheet; the row is named in a fault."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["city", "date", "pm25", "pm10", "so2", "co", "no2", "o3_8h"],
        ["济南", datetime.fromisoformat("2016-01-01"), 110, 172.0, None, 1.2, "40", 81],
        ["济南", "bad", 1],
    ):
        sheet.append(row)
    book.create_sheet("更多")
    book.save(tmp_path / "a.xlsx")
    source = open_source(str(tmp_path / "a.xlsx"))
    reading, fault = list(source.rows())

    assert isinstance(reading, Row) and isinstance(fault, Fault)
    assert ({"pm25": 110, "pm10": 172, "co": 1.2, "no2": 40, "o3_8h": 81}, "2016-01-02T00:00:00+08:00") == (reading.values, iso(reading.time))
    assert source.where(fault).endswith("a.xlsx, row 3, column date")
    assert 1 == len(source.notices)


def test_parquet_gives_the_same_texts(tmp_path: Path) -> None:
    """A float32 prints as its own shortest decimal, an empty cell is missing."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    columns = {name: arrow.array([1.1], arrow.float32()) for name in ("PM2.5", "PM10", "SO2", "NO2", "O3")}
    table = arrow.table({"station": ["W"], "t": [datetime.fromisoformat("2015-01-01T08:00")], **columns, "CO": arrow.array([None], arrow.float64())})
    parquet.write_table(table, tmp_path / "a.parquet")
    (row,) = open_source(str(tmp_path / "a.parquet")).rows()

    assert isinstance(row, Row)
    assert {"pm25": 1.1, "pm10": 1.1, "so2": 1.1, "no2": 1.1, "o3": 1.1} == row.values


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rubbish", b"PAR1rubbish", b"\x1f\x8brubbish", b"\xff\x00\x01", b'city,date,"x\n', b"a\0b,c\n1,2\n"])
def test_a_file_that_is_none_is_told(tmp_path: Path, data: bytes) -> None:
    """Empty, cut or foreign bytes give one message."""
    with pytest.raises(FileError):
        rows_of(tmp_path / "a.bin", data)


def test_a_header_that_fits_nothing_names_what_is_missing(tmp_path: Path) -> None:
    """The nearest format is named with the columns that it would need."""
    with pytest.raises(FileError) as told:
        rows_of(tmp_path / "a.csv", "city,date,pm25,pm10,so2,co,no2\n")

    assert "city-daily would need also o3_8h" in told.value.todo


def test_an_unknown_column_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    """It is not used, and that is said; columns of the source that hold no reading are not worth a word."""
    path = tmp_path / "a.csv"
    path.write_text("site,time,pm25,pm1O\na,2020-01-01 01:00,1,2\n", encoding="utf-8")

    (words,) = open_source(str(path)).notices
    assert "pm1O; did you mean 'pm10'?" in words


def test_an_unknown_format_is_told_with_the_nearest_name() -> None:
    """The list of formats is part of the message."""
    with pytest.raises(InputError, match="did you mean 'city-daily'"):
        known("city-dayly")


def test_a_reported_value_needs_its_document_and_person(tmp_path: Path) -> None:
    """What no sensor measures is as good as who answers for it."""
    head = "target,period,value,document,person\n"
    good, *bad = rows_of(tmp_path / "a.csv", head + "t1,2025,42.1,文件1,王工\nt1,2025,42.1,,王工\nt1,25,1,d,p\nt1,2025Q5,1,d,p\nt1,2025-06,x,d,p\n")

    assert isinstance(good, Said) and {"target": "t1", "period": "2025", "value": "42.1", "document": "文件1", "person": "王工"} == good.body
    assert ["document", "period", "period", "value"] == [one.column for one in bad if isinstance(one, Fault)]


def test_the_commands_help_names_every_format() -> None:
    """Help is printed without the readers being imported, so its list is checked here."""
    from lanbi.commands.import_ import FORMATS as NAMED

    assert list(formats()) == NAMED.split()
