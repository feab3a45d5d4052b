"""Relative dates: durations, days in a time zone, ages, anniversaries. All become bounds before SQL."""

import re
from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration. Months and days follow the calendar, seconds the clock."""

    months: int
    days: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Parses ISO 8601: P30D, P1Y6M, PT12H. Raises ValueError."""
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValueError("it needs the form P30D, P1Y6M or PT12H")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """The current time in a time zone; the origin of relative bounds."""

    now: int
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self._local().date()

    def moment(self, duration: Duration, sign: int) -> int:
        """The time that is the duration after now (sign 1) or before it (-1), in local time."""
        return _milliseconds(self._moved(duration, sign))

    def day(self, duration: Duration, sign: int) -> date:
        """The local day of that time."""
        return self._moved(duration, sign).astimezone(self.zone).date()

    def born(self, years: int) -> str:
        """The latest birth date of people who are at least that many years old. It is compared as text and may be no
        valid date if today is 29 February."""
        today = self.today
        return f"{min(max(today.year - years, 0), 9999):04}{today.isoformat()[4:]}"

    def anniversaries(self, duration: Duration) -> list[str]:
        """The months and days, "03-01", from today to the end of the duration. In other years the anniversary of 29
        February is 1 March, as for ages."""
        today = self.today
        end = min(self.day(duration, 1), today + timedelta(days=366))
        days = [today + timedelta(days=place) for place in range((end - today).days + 1)]
        found = {day.isoformat()[5:] for day in days}
        if any(day.month == 3 and day.day == 1 and not isleap(day.year) for day in days):
            found.add("02-29")
        return sorted(found)

    def _local(self) -> datetime:
        return (_EPOCH + self.now * _MILLISECOND).astimezone(self.zone)

    def _moved(self, duration: Duration, sign: int) -> datetime:
        try:
            wall = _months(self._local().replace(tzinfo=None), sign * duration.months)
            wall += timedelta(days=sign * duration.days)
            moved = wall.replace(tzinfo=self.zone).astimezone(UTC) + timedelta(seconds=sign * duration.seconds)
        except (OverflowError, ValueError):
            return _LAST if sign > 0 else _FIRST
        return min(max(moved, _FIRST), _LAST)


def _months(wall: datetime, months: int) -> datetime:
    years, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    return wall.replace(year=years, month=month + 1, day=min(wall.day, monthrange(years, month + 1)[1]))


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def date_offsets(zone: ZoneInfo, first: int = 1970, last: int = 2038) -> list[tuple[int, int]]:
    """The offsets of the zone in milliseconds with the times they start at, in order. The first also applies before its
    time."""
    step = timedelta(days=7)
    place, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    found = [(_milliseconds(place), _ahead(zone, place))]
    while place < end:
        if _ahead(zone, place + step) != found[-1][1]:
            changed = _changed(zone, place, place + step)
            found.append((_milliseconds(changed), _ahead(zone, changed)))
        place += step
    return found


def _changed(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes between the two."""
    first = _ahead(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _ahead(zone, middle) == first else (before, middle)
    return after


def _ahead(zone: ZoneInfo, moment: datetime) -> int:
    return (moment.astimezone(zone).utcoffset() or timedelta()) // _MILLISECOND
