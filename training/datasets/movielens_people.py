"""What MovieLens tells of its users, as sentences and groups."""

import pyarrow as pa

from training.datasets import cells
from training.datasets.tables import RawTable

AGES_1M = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56 or older",
}
OCCUPATIONS_1M = (
    "",
    "academic or educator",
    "artist",
    "clerical worker",
    "student",
    "customer service worker",
    "doctor or health care worker",
    "executive or manager",
    "farmer",
    "homemaker",
    "school student",
    "lawyer",
    "programmer",
    "retired person",
    "salesperson",
    "scientist",
    "self-employed person",
    "technician or engineer",
    "tradesperson",
    "unemployed person",
    "writer",
)
NO_OCCUPATION = ("", "none", "other")
NOUNS = {"M": "man", "F": "woman"}


def describe(
    users: RawTable, ages: dict[str, str] | None = None, occupations: tuple[str, ...] = ()
) -> RawTable:
    """Turn columns user_id, gender, age and occupation into `text` and `group`.

    ages: what the codes of ages mean; without it ages are years. occupations: the same for
    occupations; without it they are words.
    """
    columns = [
        [text.strip() for text in cells.as_strings(users.cells.column(name)).to_pylist()]
        for name in ("gender", "age", "occupation")
    ]
    texts, groups = [], []
    for gender, age_code, occupation_code in zip(*columns, strict=True):
        age = ages.get(age_code, "") if ages else age_code
        occupation = occupation_code
        if occupations:
            known = occupation_code.isdecimal() and int(occupation_code) < len(occupations)
            occupation = occupations[int(occupation_code)] if known else ""
        parts = [f"a {NOUNS.get(gender, 'person')}"]
        if age:
            parts.append(f"aged {age}")
        if occupation not in NO_OCCUPATION:
            parts.append(f"by occupation {occupation}")
        texts.append(f"I am {', '.join(parts)}.")
        groups.append(" ".join(part for part in (gender, _decade(age)) if part))
    table = pa.table(
        {
            "user_id": users.cells.column("user_id"),
            "text": pa.array(texts, type=pa.string()),
            "language_code": pa.array(["en"] * len(texts), type=pa.string()),
            "group": pa.array(groups, type=pa.string()),
        }
    )
    return RawTable(users.file, table, users.rows, users.ragged)


def _decade(age: str) -> str:
    """Return the ten years around an age in years; what is a range already stays."""
    if not age.isdecimal():
        return age
    start = int(age) // 10 * 10
    return f"{start}-{start + 9}"
