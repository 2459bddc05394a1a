"""The keys of ``lanbi.toml``: defaults and what each is for, in the order of `lanbi check --explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

DEFAULT_INGEST: Final = "lanbi-ingest"


class Key(NamedTuple):
    """A settings key: its default and what it is for."""

    default: str | tuple[str, ...] | None
    zh: str
    en: str


KEYS: Final[Mapping[str, Key]] = {
    "data": Key("var", "数据文件夹", "folder of journal, embedded store and generated secrets"),
    "county": Key("plans/sample-county.toml", "登记册", "the county's registry"),
    "targets": Key(("plans/chiping.toml",), "规划目标", "plans whose targets are judged"),
    "release": Key(
        None,
        "这份设置所写给的 lanbi 版本",
        "release that this file was written for, such as 0.1; one minor version newer is read, and what is not known is passed over",
    ),
    "clock": Key("system", "时钟：system 或 simulated（演示）", "system, or simulated for the demo"),
    "broker.url": Key("mqtt://127.0.0.1:1883", "MQTT 服务器", "mqtt://, mqtts:// or embedded (demo, 127.0.0.1 only)"),
    "broker.username": Key(DEFAULT_INGEST, "MQTT 用户名", "user name of ingest at the broker; by default of instance i > 1: lanbi-ingest-i"),
    "broker.password_file": Key(None, "MQTT 密码文件", "file that holds the broker password"),
    "broker.client_id": Key(None, "MQTT 客户端标识（默认同用户名）", "client id of ingest; default: the user name, because a safe broker binds the two"),
    "broker.keepalive": Key("60", "心跳秒数", "seconds in which a dead link is noticed; dialled again within twice as many"),
    "broker.ca_file": Key(None, "签发 MQTT 服务器证书的根证书", "certificate of whoever signed the broker's (mqtts://); default: those of the system"),
    "broker.cert_file": Key(None, "客户端证书", "our own certificate, where the broker wants one"),
    "broker.key_file": Key(None, "客户端证书的私钥", "key of our own certificate"),
    "broker.queue_bytes": Key(None, "服务器为离线的 lanbi 保留的字节数", "bytes that the broker holds for a lanbi that does not take them, as set there"),
    "journal.on_full": Key("stop", "日志写满时：stop 或 drop-oldest-forwarded", "when full: stop, or drop-oldest-forwarded"),
    "journal.quota": Key(None, "日志最大占用，如 500GB", "most bytes that the journal may take; default: the disk"),
    "journal.keep_days": Key("1826", "日志至少保存天数", "days that the journal is kept at least; the law asks for five years"),
    "journal.archive": Key(None, "封存文件的归档文件夹", "folder on another disk for sealed days"),
    "journal.anchor_mail": Key((), "封印寄往的外部邮箱", "mail addresses outside this server that get every seal"),
    "mail.url": Key("smtp://127.0.0.1:25", "发信服务器", "smtp:// (no TLS), smtp+starttls:// or smtps://"),
    "mail.username": Key(None, "发信用户名", "user name at the mail server; default: no login"),
    "mail.password_file": Key(None, "发信密码文件", "file that holds the password of the mail server"),
    "mail.ca_file": Key(None, "签发发信服务器证书的根证书", "certificate of whoever signed the mail server's; default: those of the system"),
    "mail.sender": Key("lanbi@localhost", "发信地址", "address that mails come from"),
    "broker.folder": Key("var/broker", "为 Mosquitto 生成的文件所在文件夹", "folder of the files generated for Mosquitto: acl, passwd"),
    "broker.pid_file": Key("/run/mosquitto/mosquitto.pid", "Mosquitto 的进程号文件", "Mosquitto's pid file, to make it read its files again"),
    "store.kind": Key("embedded", "存储：embedded 或 influx", "embedded, or influx"),
    "store.url": Key("http://127.0.0.1:8086", "InfluxDB 地址", "address of InfluxDB"),
    "store.org": Key("lanbi", "InfluxDB 组织", "organisation in InfluxDB"),
    "store.bucket": Key("lanbi", "InfluxDB 桶前缀", "prefix of the buckets"),
    "store.token_file": Key("var/secrets/influx-write", "写令牌文件", "file that holds the write token"),
    "store.read_token_file": Key("var/secrets/influx-read", "读令牌文件", "file that holds the read token"),
    "store.second_look": Key(
        "120", "写入无应答或撤回数值后复查的秒数", "seconds after a write without answer or a withdrawal until the rows are looked at again"
    ),
    "store.keep_hours": Key(
        "3653", "小时数值保存天数（lanbi retain）", "days that hourly figures are kept (lanbi retain); days and longer periods are kept for ever"
    ),
    "http.listen": Key("127.0.0.1:8080", "网页与接口地址", "address of board and API"),
    "http.login": Key("off", "登录：off 只供本机读取，on 人人登录", "off: this machine alone, for reading; on: everybody logs in or brings a key"),
    "http.names": Key((), "可访问的主机名", "host names under which board and API may be asked, besides those of this machine"),
    "http.cert_file": Key(None, "网页证书（TLS）", "certificate of board and API; needed to listen beyond this machine"),
    "http.key_file": Key(None, "网页证书的私钥", "key of that certificate"),
    "http.webhook_secret_file": Key(None, "告警推送签名密钥文件", "file of the secret with which Grafana signs what it sends to the duty log"),
    "ingest.health": Key("127.0.0.1:8081", "接收进程健康地址", "health address of a separate ingest"),
    "ingest.instance": Key("1/1", "接收实例 i/N", "this ingest takes the devices with crc32(device) mod N = i-1"),
    "ingest.beside": Key((), "本机其他接收进程的数据文件夹", "data folders of the other ingests on this machine: board, alerts and ledger look at them too"),
    "ingest.hj212": Key(None, "HJ 212 数采仪的 TCP 监听地址", "address for HJ 212 loggers over TCP, such as 0.0.0.0:8212; default: none listens"),
    "ingest.receive": Key(
        "bulk", "收包方式：stock 逐包，bulk 成批（仅限非加密连接）", "how packets are read: stock, one by one, or bulk, many at once (not over TLS)"
    ),
    "ingest.reconcile": Key("03:20", "每夜核对的时刻，off 为不核对", "time of day (China's) of the nightly reconciliation, or off"),
    "analyse.health": Key("127.0.0.1:8082", "计算进程健康地址", "health address of analytics"),
    "analyse.warning": Key("shandong-2022", "重污染预警条件（已发生部分）依据", "whose warning levels are held against what has happened"),
    "grafana.channels": Key((), "值班日志之外的告警渠道：dingtalk wecom email mqtt", "where alerts go beside the duty log: dingtalk, wecom, email, mqtt"),
    "grafana.webhook": Key("http://127.0.0.1:8080/api/v1/alerts/grafana", "值班日志的接收地址", "where Grafana sends alerts for the duty log"),
    "analyse.on_course": Key("30", "不达标概率（%）不高于此值为进度正常", "chance of missing a target, in %, up to which it is on course"),
    "analyse.closing": Key(
        "60", "日数值在次日零点后多少分钟起视为已公布", "minutes after midnight from which on a day's figures are closed: changes are restated"
    ),
    "log.format": Key("text", "运行日志：text 或 json（每行一个对象）", "what running programs say: text, or json, an object a line"),
    "log.lines": Key("20", "同一事件每分钟最多几行，其余计数", "most lines of one event a minute; the rest is counted and the count said"),
    "analyse.at_risk": Key("70", "不达标概率（%）不低于此值为有风险", "chance of missing a target, in %, from which on it is at risk"),
}
