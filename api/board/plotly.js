// The chart script, fetched only when there is something to draw: the figures must not wait for 1.4 MB.
let script = null;

export function plotly() {
  script ??= new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = document.body.dataset.chart;
    element.onload = () => resolve(window.Plotly);
    element.onerror = () => { script = null; reject(new Error("chart script")); };
    document.head.append(element);
  });
  return script;
}
