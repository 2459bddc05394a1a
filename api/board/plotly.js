// The chart script, fetched only when there is something to draw: the figures must not wait for 1.4 MB.
// Its buttons and notes in Chinese.
const CHINESE = {
  Zoom: "框选放大", Pan: "平移", "Zoom in": "放大", "Zoom out": "缩小", Autoscale: "自动范围", "Reset axes": "还原", "Download plot as a PNG": "保存为图片",
  "Preparing image - this may take a few seconds": "正在生成图片…", "Image download succeeded": "图片已保存", "Double-click to zoom back out": "双击还原",
};
let script = null;

export function plotly() {
  script ??= new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = document.body.dataset.chart;
    element.onload = () => {
      window.Plotly.register({ moduleType: "locale", name: "zh-CN", dictionary: CHINESE });
      resolve(window.Plotly);
    };
    element.onerror = () => { script = null; reject(new Error("chart script")); };
    document.head.append(element);
  });
  return script;
}
