"""Files of word norms are known by their columns, in every form in which they are passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StudyError
from pipeline.norm_mapping import NormMapping, read_norm_mapping
from pipeline.norms import read_norms


def write(tmp_path: Path, text: str, name: str = "norms.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def values(path: Path) -> dict[str, dict[str, float]]:
    return {norm.name: norm.values for norm in read_norms(path).norms}


def test_brysbaert(tmp_path: Path):
    text = "Word\tBigram\tConc.M\tConc.SD\tDom_Pos\nball\t0\t5\t0\tNoun\nbaby oil\t1\t4.9\t.1\t0\n"
    path = write(tmp_path, text, "concreteness.txt")
    assert values(path) == {"concreteness": {"ball": 5.0}}
    read = read_norms(path)
    assert read.parts_of_speech == {"ball": "noun"}
    assert (read.n_rows, read.n_passed_over) == (2, 1)


def test_kuperman(tmp_path: Path):
    text = "Word,Freq_pm,AoA_Kup,AoA_Kup_lem\nball,1,,3.5\nzyx,1,1,#N/A\n"
    assert values(write(tmp_path, text)) == {"age of acquisition": {"ball": 3.5}}


def test_kuperman_in_its_first_form_and_with_other_spellings(tmp_path: Path):
    first = "Word,OccurTotal,OccurNum,Freq_pm,Rating.Mean,Rating.SD,Dunno\nball,22,22,1,3.2,1,1\n"
    assert values(write(tmp_path, first)) == {"age of acquisition": {"ball": 3.2}}
    second = (
        "Word,Alternative.spelling,Dom_PoS_SUBTLEX,AoA_Kup_lem\n"
        "colour,color,Noun,4\nrun,run,Verb,3\nrunning,run,Verb,5\n"
    )
    path = write(tmp_path, second)
    assert values(path)["age of acquisition"] == {"colour": 4, "color": 4, "run": 3, "running": 5}
    assert read_norms(path).parts_of_speech["run"] == "verb"


def test_babiness_has_one_row_per_rating_and_old_line_ends(tmp_path: Path):
    text = "subject,word,babyAVG\r1,ball,9\r2,ball,8\r1,Car,4\r"
    assert values(write(tmp_path, text)) == {"babiness": {"ball": 8.5, "car": 4.0}}


def test_warriner_has_a_column_without_a_name(tmp_path: Path):
    text = ',"Word","V.Mean.Sum","A.Mean.Sum"\n1,"ball",6.3,4.1\n'
    assert values(write(tmp_path, text)) == {"valence": {"ball": 6.3}, "arousal": {"ball": 4.1}}


def test_counts_of_spellings_are_summed(tmp_path: Path):
    text = "word,word_count\nball,5774\nBall,2\ndog,10\n"
    path = write(tmp_path, text)
    assert values(path) == {"CHILDES frequency": {"ball": 5776.0, "dog": 10.0}}
    assert read_norms(path).norms[0].is_count


def test_subtlex_rows_of_one_word_are_summed_as_counts(tmp_path: Path):
    text = "Word\tFREQcount\tLg10WF\nball\t999\t3\nMay\t99\t2\nmay\t899\t2.954243\n"
    path = write(tmp_path, text)
    found = values(path)["SUBTLEX frequency"]
    assert found == pytest.approx({"ball": 1_000, "may": 1_000}, rel=1e-5)
    assert read_norms(path).norms[0].is_count


def test_wordbank_has_an_age_for_each_measure_and_language(tmp_path: Path):
    text = (
        "language,measure,item_definition,aoa\n"
        "English (American),produces,chicken (animal),14\n"
        "English (British),produces,chicken (food),18\n"
        "English (American),understands,chicken (animal),10\n"
        "English (American),produces,soda/pop,20\nEnglish (American),produces,choo choo,16\n"
        "English (American),produces,church*,NA\nSpanish (Mexican),produces,pie,15\n"
    )
    read = read_norms(write(tmp_path, text))
    assert {(norm.name, norm.language): norm.values for norm in read.norms} == {
        ("Wordbank age, produces", "en"): {"chicken": 16.0, "soda": 20.0, "pop": 20.0},
        ("Wordbank age, understands", "en"): {"chicken": 10.0},
        ("Wordbank age, produces", "es"): {"pie": 15.0},
    }
    assert read.n_passed_over == 2


def test_any_other_norm_has_a_name_and_a_value(tmp_path: Path):
    text = "word;norm;value\nBall;roundness;5\nball;roundness;6\nbox;roundness;1\n"
    assert values(write(tmp_path, text)) == {"roundness": {"ball": 5.5, "box": 1.0}}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_encodings_do_not_matter(tmp_path: Path, encoding: str):
    text = "word,norm,value\r\ncafé,x,1\r\n"
    assert values(write(tmp_path, text, encoding=encoding)) == {"x": {"café": 1.0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("term,value\na,1\n", "no column of words; it has term, value. Name that column word"),
        ("word,size\na,1\n", "no norm that is known.*word, norm and value"),
        ("word,Conc.M\na,5\nb,high\n", "line 3: Conc.M is 'high'.*decimal point"),
        ("word,Conc.M\na,4;5\n", "line 2: Conc.M is '4;5'"),
        ("word,Conc.M\na,NA\n", "gives no word a value"),
        ("word,Conc.M\na,1,2\n", "line 2: 3 cells under 2 columns"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_a_fix(tmp_path: Path, text: str, message: str):
    with pytest.raises(StudyError, match=message) as problem:
        read_norms(write(tmp_path, text))
    assert "norms.csv" in problem.value.message
    assert problem.value.hint


def test_a_workbook_is_read_and_one_of_the_old_kind_refused(tmp_path: Path):
    from openpyxl import Workbook

    book = Workbook()
    for row in (
        ("Word", "Conc.M", None),
        ("Ball", 5, "x"),
        ("baby oil", 4.9, "x"),
        ("go", 3.2, ""),
    ):
        book.active.append(row)
    book.save(tmp_path / "conc.xlsx")
    assert values(tmp_path / "conc.xlsx") == {"concreteness": {"ball": 5.0, "go": 3.2}}
    with pytest.raises(StudyError, match=r"cannot be read as a workbook. Save it as CSV"):
        read_norms(write(tmp_path, "x", "norms.xlsx"))
    with pytest.raises(StudyError, match="old kind"):
        read_norms(write(tmp_path, "x", "norms.xls"))


def test_an_unknown_file_is_read_as_the_mapping_says(tmp_path: Path):
    text = "Item,Scale,Mittel,Class\nBall,FAM,6,NN\nball,FAM,4,NN\nball,IMA,2,NN\nrun,FAM,3,V\n"
    path = write(tmp_path, text, "own.csv")
    fam = NormMapping("own.csv", "item", "Mittel", "familiarity", "1 to 7", only=("scale", "FAM"))
    (norm,) = read_norms(path, [fam]).norms
    assert (norm.name, norm.unit, norm.values) == ("familiarity", "1 to 7", {"ball": 5, "run": 3})
    first = NormMapping("own.csv", "Item", "Mittel", "x", rows="first", language="German")
    (norm,) = read_norms(path, [first]).norms
    assert (norm.values, norm.language) == ({"ball": 6, "run": 3}, "de")
    summed = NormMapping("own.csv", "Item", "Mittel", "x", rows="sum", is_count=True)
    (norm,) = read_norms(path, [summed]).norms
    assert (norm.values, norm.is_count) == ({"ball": 12, "run": 3}, True)
    with pytest.raises(StudyError, match=r"own.csv has no column Wert, which mapping.csv names"):
        read_norms(path, [NormMapping("own.csv", "Item", "Wert", "x")])


def test_a_mapping_may_name_the_parts_of_speech(tmp_path: Path):
    path = write(tmp_path, "w,tag\nball,NOUN\nrun,Verb\nthe,DET\nzyx,0\n", "tags.csv")
    read = read_norms(path, [NormMapping("tags.csv", "w", "tag", "part of speech")])
    assert read.parts_of_speech == {"ball": "noun", "run": "verb", "the": "function word"}
    assert (read.norms, read.n_passed_over) == ((), 1)


def test_the_mapping_file_is_a_table(tmp_path: Path):
    text = (
        "file,word,value,norm,unit,rows,count,language,only\n"
        "own.csv,Item,Mittel,familiarity,1 to 7,,,,Scale=FAM\nfreq.csv,w,n,frequency,,,yes,es,\n"
    )
    first, second = read_norm_mapping(write(tmp_path, text, "mapping.csv"))
    assert first == NormMapping(
        "own.csv", "Item", "Mittel", "familiarity", "1 to 7", only=("Scale", "FAM")
    )
    assert (second.rows, second.is_count, second.language) == ("sum", True, "es")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,word,value\na,b,c\n", "mapping.csv lacks the column norm"),
        ("file,word,value,norm,units\n", "unknown column units. Known: file, word"),
        ("file,word,value,norm\na.csv,,c,d\n", "line 2: word is empty"),
        ("file,word,value,norm,rows\na,b,c,d,median\n", "line 2: rows is 'median'. Choose"),
        ("file,word,value,norm,count\na,b,c,d,maybe\n", "line 2: count is 'maybe'. Write yes"),
        ("file,word,value,norm,only\na,b,c,d,FAM\n", "line 2: only is 'FAM'. Write it as"),
    ],
)
def test_a_bad_mapping_is_refused_with_a_fix(tmp_path: Path, text: str, message: str):
    with pytest.raises(StudyError, match=message):
        read_norm_mapping(write(tmp_path, text, "mapping.csv"))


def test_every_known_norm_has_a_unit():
    from pipeline.norms import _KNOWN

    assert all(known.unit for known in _KNOWN)
