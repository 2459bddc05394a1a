"""The page of methods: by which clause each figure is made, and what may not be claimed."""

from __future__ import annotations

from typing import Final

from domain.codes import BASES, both
from lanbi.reports.page import Words

AIR: Final = (
    "小时、日、年有效性：GB 3095-2012 表4；O3 日最大8小时：HJ 663-2013。validity of hours, days, years",
    "AQI：HJ 633-2012；自 2026-03-01 起另按 HJ 633-2026 计算，规则集随每个数值给出。each figure names its rule set",
    "区县日均值：评价点日均值的算术平均；年均值为日均值的平均；CO 第95、O3 第90百分位数：HJ 663-2013。means and percentiles",
    "优良天：AQI ≤ 100；重污染天：AQI > 200；规划目标按 2012 规则集评价。plan targets are judged on the 2012 set",
)
WATER: Final = ("水质类别：GB 3838-2002，自动站按溶解氧、高锰酸盐指数、氨氮、总磷四项；月、年类别由均值得出。water classes",)
METERS: Final = ("用量：登记倍率下相邻读数之差；待核实区间不计入。综合能耗：GB/T 2589，系数见登记册。energy: GB/T 2589, factors by the registry",)
ALWAYS: Final = (
    "修约：GB/T 8170，四舍六入五成双，只在显示时修约一次。rounding half to even, once",
    f"口径 bases：{'，'.join(map(both, BASES.values()))}。",
    "本表数值由本平台计算，非官方公布值；以上级审核确认的数值为准。these figures are not official",
    "数值与接口 /api/v1 相同；当月确认前均为暂定，此后变更列入更正记录。the same numbers as the API; provisional until confirmed",
)


def method(*realms: tuple[str, ...]) -> Words:
    """Methods of the realms that a report shows."""
    return Words("方法与依据 methods", [*(line for realm in realms for line in realm), *ALWAYS])
