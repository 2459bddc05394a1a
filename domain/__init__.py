"""The county's words and the law's tables; imports nothing of ours.

站点 station · 断面 section · 企业 enterprise · 计量表 meter · 排口 permit point · 目标 target · 优良天 good day · 重污染天
heavy-pollution day. Start with ``civil`` (time), ``items`` (what is measured), ``air`` and ``water`` (the law), ``places``
(who measures), ``targets`` (what the plan asks) and ``ports`` (what the rooms ask of databases).
"""
