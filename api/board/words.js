// Words of the screen itself; words of codes (classes, states, reasons, items) come from /api/v1/legend.

const WORDS = {
  skip: ["跳到规划目标", "Skip to the targets"],
  board: ["生态环境监测看板", "Environment monitoring board"],
  simulated: ["模拟时间", "Simulated time"],
  realTime: ["现在", "Now"],
  dataUntil: ["数据截至", "Data up to"],
  other: ["English", "中文"],
  targets: ["规划目标", "Targets of the plan"],
  skipDesk: ["跳到任务", "Skip to the tasks"],
  desk: ["工作台", "Desk"],
  backToBoard: ["看板", "Board"],
  logIn: ["登录", "Log in"],
  logOut: ["退出", "Log out"],
  userName: ["用户名", "User name"],
  password: ["密码", "Password"],
  passwordDue: ["密码已用满 90 天，请更换。", "Your password is older than 90 days: change it."],
  changePassword: ["更换密码", "Change password"],
  oldPassword: ["原密码", "Old password"],
  newPassword: ["新密码", "New password"],
  readOnly: ["登录未启用：只能查看，不能处置。", "Logins are off: you may look, not act."],
  noRight: ["您的角色不能处置。", "Your role may look, not act."],
  dutyTitle: ["任务：待处置的告警", "Tasks: alerts that wait for somebody"],
  noDuty: ["没有待处置的告警。", "No alert waits."],
  takeNote: ["处置", "Take note"],
  noteOf: ["处置说明", "what was done"],
  lettersTitle: ["死信与待审", "Dead letters and what is held"],
  noLetters: ["没有死信。", "No dead letters."],
  pick: ["选择", "pick"],
  bytes: ["原文", "bytes"],
  replay: ["重放所选", "Replay the picked ones"],
  replayHint: ["先改正登记册或映射，再重放；现在合格的入库，其余不动。", "Mend registry or mapping first; what is good now is stored, the rest stays."],
  when: ["时间", "time"],
  what: ["原因", "reason"],
  device: ["设备", "device"],
  detail: ["说明", "detail"],
  alert: ["告警", "alert"],
  severity: ["级别", "severity"],
  owner: ["责任", "owner"],
  reviewTitle: ["审核：标记小时", "Review: mark hours"],
  reviewHint: ["标记不删除任何读数；已公布的数值变化时列入更正记录。", "A mark deletes nothing; closed figures that change are restated."],
  place: ["站点", "station"],
  from: ["起", "from"],
  to: ["止（含）", "to, included"],
  flag: ["标记", "mark"],
  hold: ["H 暂扣", "H held"],
  reject: ["R 剔除", "R rejected"],
  dust: ["X 沙尘或异常", "X dust or exceptional"],
  valid: ["N 恢复有效", "N valid again"],
  reason: ["理由", "reason"],
  document: ["依据文件", "document"],
  preview: ["预览影响", "Preview"],
  computing: ["正在计算…", "Computing…"],
  noChange: ["没有数值会变化。", "No figure would change."],
  wouldChange: ["会变化的数值：", "Figures that would change: "],
  figure: ["指标", "figure"],
  before: ["现值", "now"],
  after: ["变为", "becomes"],
  restatedMark: ["须更正公布", "restated openly"],
  mark: ["提交标记", "Enter the mark"],
  confirmTitle: ["确认月份", "Confirm a month"],
  monthOf: ["月份", "month"],
  confirmIt: ["确认", "Confirm"],
  takeBack: ["撤回确认", "Take back"],
  reportTitle: ["填报目标值", "Report a target's value"],
  targetOf: ["目标", "target"],
  period: ["期间", "period"],
  value: ["数值", "value"],
  person: ["责任人", "who answers"],
  report: ["提交填报", "Enter the value"],
  entered: ["最近的填报与标记", "Entered last"],
  nothingEntered: ["还没有。", "Nothing yet."],
  done: ["已入日志：", "In the journal: "],
  metersTitle: ["本企业计量表", "Meters of your enterprise"],
  register: ["读数", "register"],
  auditTitle: ["谁做了什么、谁查看过", "Who did what, and who looked"],
  action: ["动作", "action"],
  object: ["对象", "object"],
  from2: ["来自", "from"],
  today: ["今日要做", "What must be done today"],
  nothing: ["今日无待办：数据齐全，目标无风险。", "Nothing today: data are complete, no target at risk."],
  yearTitle: ["PM2.5 今年走势", "PM2.5 this year"],
  calendarTitle: ["空气质量日历", "Calendar of days"],
  stations: ["空气站（最近一小时）", "Air stations, latest hour"],
  freshness: ["谁没有数据", "Who is silent"],
  water: ["水质断面（最近一次）", "Water sections, latest record"],
  account: ["接收账目（读数，累计）", "Account of readings, in total"],
  restatements: ["更正记录（近 31 天）", "Restated figures, last 31 days"],
  complete: ["数据有效性（今年）", "Completeness this year"],
  todayLost: ["今日缺", "lost today:"],
  chance: ["年度", "year"],
  target: ["目标", "target"],
  noTargetYet: ["目标值待下达", "target not yet set"],
  track: ["跟踪，不考核", "tracked, not judged"],
  last: ["上一目标", "last target"],
  noValue: ["暂无数值", "no value yet"],
  measured: ["监测", "measured"],
  reported: ["填报", "reported"],
  provisional: ["暂定", "provisional"],
  confirmed: ["已确认", "confirmed"],
  better: ["优于目标", "better by"],
  worse: ["差于目标", "worse by"],
  equal: ["正好等于目标", "exactly the target"],
  budgetHeavy: ["今年还可有", "left this year"],
  budgetGood: ["今年超标日还可有", "days above AQI 100 left"],
  spent: ["已超出", "beyond the budget by"],
  restMean: ["余下日子均值须", "mean of the rest:"],
  restRatio: ["余下日子优良率须", "good days in the rest:"],
  points: ["个百分点", "points"],
  lastYear: ["去年同期", "same time last year"],
  incomplete: ["数据不全", "incomplete"],
  todayKeeps: ["今日保", "today within"],
  hoursBefore: ["余", "for"],
  hoursLeft: ["小时", "h to come"],
  allowanceLost: ["已超出", "lost already"],
  ranked: ["位次", "rank"],
  oursIs: ["本平台", "ours"],
  pace: ["消耗速度", "pace"],
  comma: ["，", ", "],
  colon: ["：", ": "],
  and: ["、", " and "],
  official: ["公布", "official"],
  running: ["当天未结束", "day not over"],
  dayUnit: ["天", "days"],
  rounding: ["修约后判断会不同", "rounding would decide otherwise"],
  item: ["项", "target"],
  items: ["项", "targets"],
  withValue: ["有数值", "with a value"],
  horizonPassed: ["规划期已过", "plan has ended"],
  daily: ["日均值", "daily mean"],
  ytd: ["今年累计均值", "mean so far this year"],
  required: ["余下须达到的均值", "mean the rest must keep"],
  chartWait: ["尚无日均值。", "No daily means yet."],
  chartFail: ["图表脚本未能载入；数值见上方卡片。", "The chart script did not load; the figures stand above."],
  upTo: ["截至", "to"],
  station: ["站点", "Station"],
  primary: ["首要污染物", "Primary"],
  time: ["时间", "Time"],
  state: ["状态", "State"],
  none: ["无", "none"],
  section: ["断面", "Section"],
  klass: ["类别", "Class"],
  classWait: ["未评价", "not judged"],
  overdue: ["逾期", "overdue"],
  lastSeen: ["最近", "last"],
  allWell: ["全部正常", "all on time"],
  more: ["另有", "and"],
  moreTail: ["个", "more"],
  trial: ["试运行", "on trial"],
  received: ["接收", "received"],
  stored: ["入库", "stored"],
  duplicate: ["重复", "duplicate"],
  deadletter: ["拒收（死信）", "dead letters"],
  quarantined: ["待核", "quarantined"],
  pending: ["待入库", "pending"],
  balanced: ["账目平衡：接收 = 其余各项之和", "Balanced: received = sum of the rest"],
  unbalanced: ["账目不平衡，请联系管理员", "Not balanced: tell the administrator"],
  reasons: ["拒收和待核的原因", "Why refused or held"],
  newestLetters: ["最近的拒收", "Newest refusals"],
  noLetters: ["没有拒收。", "Nothing was refused."],
  made: ["更正时间", "Changed"],
  wasConfirmed: ["已确认数值", "was confirmed"],
  noRestated: ["没有更正。", "Nothing was restated."],
  validDays: ["有效天", "valid days"],
  capture: ["有效率", "capture"],
  needs: ["全年须有效", "a year needs"],
  offline: ["连接中断，显示的是较早的数据；正在重试。", "Connection lost: what is shown is older. Trying again."],
  loading: ["正在读取…", "Loading…"],
  noDay: ["无效", "no AQI"],
  rules: ["评价标准", "Rules"],
  registry: ["登记册版本", "Registry version"],
  county: ["全区", "whole county"],
  apiAt: ["接口", "API"],
};

const KINDS = { air: ["空气站", "Air stations"], water: ["断面与水井", "Sections, wells"], point: ["排污口", "Permit points"], meter: ["计量表", "Meters"] };
const URGENCIES = { act: ["立即", "now"], watch: ["关注", "watch"], know: ["知悉", "note"] };
const ROLES = { assessment: ["考核", "assessed"], township: ["乡镇", "township"], micro: ["微站", "micro"], site: ["工地", "site"], background: ["对照", "background"] };
const CONTROLS = { national: ["国控", "national"], provincial: ["省控", "provincial"], local: ["县控", "local"] };
const PERIODS = { hour: ["小时", "hour"], day: ["日", "day"], month: ["月", "month"], quarter: ["季", "quarter"], year: ["年", "year"], ytd: ["累计", "year to date"] };
const GROUPS = {
  air: ["大气", "Air"], water: ["水", "Water"], energy: ["能源", "Energy"], carbon: ["碳", "Carbon"], soil: ["土壤", "Soil"], farm: ["农业", "Farming"],
  rural: ["农村", "Rural"], forest: ["林业", "Forest"], industry: ["产业", "Industry"], digital: ["数字化", "Digital"], innovation: ["创新", "Innovation"],
  urban: ["城镇", "Urban"], pollutant: ["减排", "Pollutants"], waste: ["固废", "Waste"], risk: ["风险", "Risk"],
};
const UNITS = {
  "ug/m3": ["µg/m³", "µg/m³"], m3: ["m³", "m³"], day: ["天", "days"], "10^4 CNY/tce": ["万元/吨标煤", "10⁴ CNY/tce"], "10^4 kW": ["万千瓦", "10⁴ kW"],
  "10^4 mu": ["万亩", "10⁴ mu"], "10^4 t": ["万吨", "10⁴ t"], "10^4 t/a": ["万吨/年", "10⁴ t/a"], "10^8 CNY": ["亿元", "10⁸ CNY"], "% vs 2020": ["%（比 2020 年）", "% vs 2020"],
  check: ["次", "checks"], class: ["类", "class"], enterprise: ["家", "enterprises"], kiln: ["座", "kilns"], "m3/10^4 CNY": ["m³/万元", "m³/10⁴ CNY"], project: ["个", "projects"],
  risk: ["起", "risks"], round: ["轮", "rounds"], site: ["处", "sites"], source: ["个", "sources"], station: ["个", "stations"], t: ["吨", "t"], tCO2: ["吨 CO₂", "t CO₂"],
  "tCO2/10^4 CNY": ["吨 CO₂/万元", "t CO₂/10⁴ CNY"], tce: ["吨标煤", "tce"], "tce/10^4 CNY": ["吨标煤/万元", "tce/10⁴ CNY"], unit: ["个", "units"], "water body": ["条", "water bodies"],
};

let chosen = recall();

function recall() {
  try {
    return localStorage.getItem("lanbi-language") === "en" ? 1 : 0;
  } catch {
    return 0;
  }
}

export const english = () => chosen === 1;

export function switchLanguage() {
  chosen = 1 - chosen;
  try {
    localStorage.setItem("lanbi-language", chosen ? "en" : "zh");
  } catch {
    // A browser that remembers nothing still switches.
  }
}

export const comma = (parts) => parts.filter(Boolean).join(chosen ? ", " : "，");
export const list = (parts) => parts.join(chosen ? ", " : "、");
export const t = (key) => WORDS[key][chosen];
// Of an answer's pair {zh, en}, or of a pair of fields name_zh, name_en.
export const said = (pair) => (chosen ? pair.en : pair.zh);
export const either = (row, field) => row[`${field}_${chosen ? "en" : "zh"}`];
const from = (table) => (key) => (key in table ? table[key][chosen] : key);
export const urgencyWord = from(URGENCIES);
export const kindWord = from(KINDS);
export const roleWord = from(ROLES);
export const controlWord = from(CONTROLS);
export const periodWord = from(PERIODS);
export const groupWord = from(GROUPS);
export const unitWord = from(UNITS);
