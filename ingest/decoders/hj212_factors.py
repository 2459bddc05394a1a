"""Factor codes of HJ 212 (2017 tables B.1 and B.2, with the codes of 2005) as a table. Pure.

What 2025 adds (electricity, process) was not published when this was written: such codes are given by the device's mapping.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Factor(NamedTuple):
    """A factor: code of 2017, code of 2005, name, unit of the table, our item where there is one, unit that air stations really send.

    The table's ng/m³ for particles is hardly ever sent: ambient stations send µg/m³, and mg/m³ for CO.
    """

    code: str
    old: str
    name: str
    unit: str
    item: str = ""
    ambient: str = ""


_WATER: Final = """
w00000 B01 流量 L/s flow|w01001 001 pH值 1 ph|w01002 002 色度 度|w01003 - 浊度 NTU turb|w01006 - 溶解性总固体 mg/L|w01009 - 溶解氧 mg/L do
w01010 - 水温 °C temp|w01012 003 悬浮物 mg/L ss|w01014 - 电导率 µS/cm cond|w01016 - 叶绿素a mg/L chla|w01017 010 生化需氧量 mg/L
w01018 011 化学需氧量 mg/L cod|w01019 - 高锰酸盐指数 mg/L codmn|w01020 015 总有机碳 mg/L|w02003 550 粪大肠菌群 个/L|w02006 - 细菌总数 个/L
w03001 570 总α放射性 Bq/L|w03002 571 总β放射性 Bq/L|w19001 - 表面活性剂 mg/L|w19002 520 阴离子表面活性剂 mg/L|w20012 039 钡 mg/L|w20023 037 硼 mg/L
w20038 040 钴 mg/L|w20061 038 钼 mg/L|w20089 041 铊 ng/L|w20092 036 锡 mg/L|w20111 020 总汞 µg/L|w20113 021 烷基汞 ng/L|w20115 022 总镉 µg/L
w20116 023 总铬 mg/L|w20117 024 六价铬 µg/L|w20119 026 总砷 µg/L|w20120 027 总铅 µg/L|w20121 028 总镍 mg/L|w20122 029 总铜 mg/L|w20123 030 总锌 mg/L
w20124 031 总锰 mg/L|w20125 032 总铁 mg/L|w20126 033 总银 mg/L|w20127 034 总铍 µg/L|w20128 035 总硒 µg/L|w20138 - 铜 mg/L|w20139 - 锌 mg/L
w20140 - 硒 mg/L|w20141 - 砷 mg/L|w20142 - 汞 µg/L|w20143 - 镉 µg/L|w20144 - 铅 mg/L|w21001 065 总氮 mg/L tn|w21003 060 氨氮 mg/L nh3n
w21004 062 凯氏氮 mg/L|w21006 063 亚硝酸盐 mg/L|w21007 064 硝酸盐 mg/L|w21011 101 总磷 mg/L tp|w21016 070 氰化物 mg/L|w21017 072 氟化物 mg/L
w21019 071 硫化物 mg/L|w21022 090 氯化物 mg/L|w21038 - 硫酸盐 mg/L|w22001 080 石油类 mg/L|w23002 110 挥发酚 mg/L|w25043 540 苯并[a]芘 µg/L
w33001 350 六六六 ng/L|w33007 351 滴滴涕 ng/L|w99001 061 有机氮 mg/L
"""
_AIR: Final = """
a34004 - PM2.5 ng/m³ pm25 µg/m³|a34002 - PM10 ng/m³ pm10 µg/m³|a34001 - 总悬浮颗粒物 ng/m³ tsp µg/m³|a34005 - PM1.0 ng/m³
a21026 02 二氧化硫 mg/m³ so2 µg/m³|a21004 - 二氧化氮 mg/m³ no2 µg/m³|a21003 - 一氧化氮 mg/m³|a21002 03 氮氧化物 mg/m³ nox µg/m³
a21005 04 一氧化碳 mg/m³ co mg/m³|a05024 - 臭氧 mg/m³ o3 µg/m³|a01001 - 气温 °C temp|a01002 - 相对湿度 % rh|a01006 - 气压 kPa pressure
a01007 - 风速 m/s wind_speed|a01008 - 风向 ° wind_dir|a00000 B02 废气流量 m³/s|a34013 01 烟尘 mg/m³ soot|a19001 S01 含氧量 % o2_content
a01010 37 林格曼黑度 1|a01011 S02 烟气流速 m/s|a01012 S03 烟气温度 °C|a01013 S08 烟气压力 kPa|a01014 S05 烟气湿度 %|a01016 S07 烟道截面积 m²
a01017 S04 烟气动压 kPa|a24088 - 非甲烷总烃 mg/m³ nmhc|a24087 25 碳氢化合物 mg/m³|a05001 30 二氧化碳 mg/m³|a05002 - 甲烷 ng/m³|a21001 10 氨 ng/m³
a21028 05 硫化氢 mg/m³|a21024 08 氯化氢 mg/m³|a21018 06 氟化物 mg/m³|a21022 11 氯气 mg/m³|a20057 31 汞及其化合物 mg/m³|a25002 - 苯 mg/m³
a25003 17 甲苯 mg/m³|a25005 18 二甲苯 mg/m³|a31001 19 甲醛 mg/m³
"""


def _rows(text: str) -> tuple[Factor, ...]:
    rows = (entry.split(" ") for line in text.strip().splitlines() for entry in line.split("|"))
    return tuple(Factor(code, "" if old == "-" else old, *rest) for code, old, *rest in rows)


FACTORS: Final = (*_rows(_WATER), *_rows(_AIR))
BY_CODE: Final = {**{one.old: one for one in FACTORS if one.old}, **{one.code: one for one in FACTORS}}
"""Every code, new and old. Ozone (HJ 524), turbidity and chlorophyll are not in the standard's table and are sent all the same."""


def unit_of(factor: Factor, kind: str) -> str:
    """Unit in which a factor comes unless the device's mapping names another; the packet itself has none."""
    return factor.ambient if kind == "air" and factor.ambient else factor.unit
