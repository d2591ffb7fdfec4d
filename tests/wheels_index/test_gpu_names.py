"""Products of each vendor are understood as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import gpu_names, meanings, product, products, similar_names


def capability(name):
    found = product(name)
    assert found is not None, name
    return found.compute_capability


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RTX 4090 D", (8, 9)),
        ("NVIDIA GeForce RTX 3050 Ti Laptop GPU", (8, 6)),
        ("GeForce GTX 1660 Ti with Max-Q Design", (7, 5)),
        ("H20", (9, 0)),
        ("A800", (8, 0)),
        ("H800", (9, 0)),
        ("RTX A4500", (8, 6)),
        ("MX450", (7, 5)),
        ("Jetson AGX Thor", (11, 0)),
        ("4070 Ti Super", (8, 9)),
        ("RTX PRO 6000 Blackwell", (12, 0)),
        ("K40", (3, 5)),
        ("B300", (10, 3)),
    ],
)
def test_nvidias_desktop_laptop_and_regional_forms_have_a_capability(name, expected):
    """A laptop's GPU may have another chip than the desktop's of that name."""
    assert capability(name) == expected


@pytest.mark.parametrize(
    ("name", "gfx"),
    [
        ("RX 7900 XTX", "gfx1100"),
        ("AMD Radeon RX 6700 XT", "gfx1031"),
        ("9070 XT", "gfx1201"),
        ("RX 9060 XT", "gfx1200"),
        ("AMD Radeon(TM) 780M", "gfx1103"),
        ("Radeon 8060S", "gfx1151"),
        ("MI300X", "gfx942"),
        ("AMD Instinct MI355X", "gfx950"),
        ("MI210", "gfx90a"),
        ("Radeon VII", "gfx906"),
        ("Vega 64", "gfx900"),
        ("W7900", "gfx1100"),
    ],
)
def test_amds_products_have_a_target(name, gfx):
    """From the chip that pci.ids gives them."""
    found = product(name)
    assert found is not None
    assert (found.vendor, found.gfx) == ("amd", gfx)


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Arc B580", "intel"),
        ("Data Center GPU Max 1550", "intel"),
        ("Apple M2 Ultra", "apple"),
        ("M3", "apple"),
    ],
)
def test_intels_and_apples_products_have_their_vendor(name, vendor):
    """Nothing else decides their builds."""
    found = product(name)
    assert found is not None
    assert found.vendor == vendor


@pytest.mark.parametrize(
    "name", ["580", "840M", "TITAN X", "RTX 6000", "GT 710", "RTX", "16GB", "", "banana"]
)
def test_a_name_that_stands_for_several_or_for_none_is_not_guessed(name):
    """A GeForce GTX 580 and a Radeon RX 580 have nothing in common."""
    assert product(name) is None


def test_names_that_are_nearly_right_are_offered():
    """The nearest first."""
    assert any(name.startswith("GeForce RTX 40") for name in similar_names("RTX 4009"))
    assert "Radeon RX 7900 XTX" in similar_names("RX 7900 XTXX")


def test_more_than_six_hundred_names_are_known_and_each_finds_its_own_kind():
    """Where two products share a name, torch sees them alike or the name is refused."""
    all_products = products()
    assert len({each.name for each in all_products}) > 600
    for each in all_products:
        found = product(each.name)
        if found is not None:
            assert (found.vendor, found.compute_capability, found.gfx) == (
                each.vendor, each.compute_capability, each.gfx,
            )  # fmt: skip


def test_few_names_of_the_tables_are_refused():
    """Those that are sold with chips of several generations, such as the GT 710."""
    refused = {each.name for each in products() if product(each.name) is None}
    assert len(refused) < 60, sorted(refused)


@given(st.text(max_size=400))
def test_any_text_is_a_product_or_none(text):
    """Nothing raises, however strange."""
    found = product(text)
    assert found is None or found == product(text)
    assert len(similar_names(text[:40])) <= 3


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("4090D", (8, 9)),
        ("RTX 4080S", (8, 9)),
        ("4070TiS", (8, 9)),
        ("1660s", (7, 5)),
        ("RTX 3070 移动版", (8, 6)),
        ("七彩虹 RTX 3060 12G", (8, 6)),
        ("技嘉4070", (8, 9)),
        ("显卡：RTX 3060", (8, 6)),  # noqa: RUF001  # as it is typed
        ("MSI GeForce RTX 3060 Gaming X Trio 12G", (8, 6)),
        ("ASUS ROG Strix GeForce RTX 4090 OC", (8, 9)),
        ("Sapphire Pulse Radeon RX 7800 XT", "gfx1101"),
        ("GA102 [GeForce RTX 3090]", (8, 6)),
        ("01:00.0 VGA compatible controller: NVIDIA Corporation AD102 [GeForce RTX 4090] (rev a1)", (8, 9)),
        ("[AMD/ATI] Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M] (rev c8)", "gfx1100"),
        ("GA102", (8, 6)),
        ("GRID T4-16Q", (7, 5)),
        ("A100-40C", (8, 0)),
        ("GRID V100DX-32Q", (7, 0)),
        ("AGX Orin", (8, 7)),
        ("Orin NX 16GB", (8, 7)),
        ("H20-3e", (9, 0)),
        ("MI60", "gfx906"),
        ("AMD Ryzen 7 7840HS w/ Radeon 780M Graphics", "gfx1103"),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", "gfx1151"),
    ],
)
def test_a_name_as_shops_lspci_and_hypervisors_write_it(name, decides):
    """The model is what counts: a maker's words, brackets, memory and a profile's size do not."""
    found = product(name)
    assert found is not None
    assert decides in (found.compute_capability, found.gfx)


@pytest.mark.parametrize(
    "name",
    ["UHD 620", "Xeon Gold 5090", "GTX 1080 Ti and RTX 3090", "Core i7 2600", "RTX 9999 OC", "PCI 580"],
)
def test_a_number_beside_other_words_is_no_gpu_of_that_number(name):
    """A processor's number, or two models, decide nothing."""
    assert product(name) is None


@pytest.mark.parametrize(
    ("name", "vendor"), [("M4", None), ("Apple M4", "apple"), ("Tesla M4", "nvidia"), ("GTX 580", "nvidia")]
)
def test_the_vendor_in_a_name_decides_between_products(name, vendor):
    """What stands for several is said to."""
    found = product(name)
    assert (found.vendor if found else None) == vendor
    assert meanings(name)


def test_a_long_name_does_not_have_the_whole_table_read_for_each_of_its_parts(monkeypatch):
    """A name may come from a text that somebody pasted."""
    read = []
    real = gpu_names._with_more_words
    monkeypatch.setattr(gpu_names, "_with_more_words", lambda words: read.append(words) or real(words))
    assert product("a " * 45 + "rtx 4099 " + "b " * 45) is None
    assert len(read) <= 4
