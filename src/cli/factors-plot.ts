// A self-contained page that draws factor outputs over the mid price: one panel per output, no network. Cold.
// Memory is bounded: when more than MAX_POINTS are kept, every second one is dropped and the stride doubles.

const MAX_POINTS = 8_000;

export class PlotPoints {
  private readonly names: readonly string[];
  /** ms since the Unix epoch. */
  private timesMs: number[] = [];
  private series: number[][];
  private stride = 1;
  private seen = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    this.series = names.map(() => []);
  }

  add(baseNs: bigint, rows: number, tsNs: Float64Array, columns: readonly Float64Array[]): void {
    const baseMs = Number(baseNs / 1_000_000n);
    for (let i = 0; i < rows; i++) {
      if (this.seen++ % this.stride !== 0) continue;
      this.timesMs.push(baseMs + tsNs[i]! / 1e6);
      this.series.forEach((s, k) => void s.push(columns[k]![i]!));
      if (this.timesMs.length > MAX_POINTS) this.thin();
    }
  }

  private thin(): void {
    const even = (_: number, i: number): boolean => i % 2 === 0;
    this.timesMs = this.timesMs.filter(even);
    this.series = this.series.map((s) => s.filter(even));
    this.stride *= 2;
  }

  /** `mid`: name of the series drawn behind every other one. */
  html(title: string, mid: string): string {
    const data = {
      times: this.timesMs,
      stride: this.stride,
      series: this.names.map((name, k) => ({
        name,
        values: this.series[k]!.map((v) => (Number.isFinite(v) ? v : null)),
      })),
      mid,
    };
    // "<" cannot end the script element from inside the data.
    const json = JSON.stringify(data).replaceAll("<", "\\u003c");
    const safe = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${safe}</title>
<style>body{font:14px system-ui,sans-serif;margin:24px;color:#1d2733;background:#fff}h2{font-size:14px;margin:20px 0 4px}
canvas{width:100%;height:180px;border:1px solid #d5dbe3}p{color:#5b6775}</style>
<h1>${safe}</h1><p id="note"></p><div id="panels"></div>
<script>const data=${json};${SCRIPT}</script></html>
`;
  }
}

const SCRIPT = `
const note=document.getElementById("note");
const t0=data.times[0],t1=data.times[data.times.length-1];
note.textContent=data.times.length===0?"no trigger":new Date(t0).toISOString()+" to "+new Date(t1).toISOString()+(data.stride===1?", every trigger":", one of "+data.stride+" triggers")+"; grey: "+data.mid;
const mid=data.series.find(s=>s.name===data.mid);
function range(v){let lo=Infinity,hi=-Infinity;for(const x of v){if(x===null)continue;if(x<lo)lo=x;if(x>hi)hi=x}return lo<=hi?[lo,hi===lo?lo+1:hi]:null}
const midRange=mid&&range(mid.values);if(midRange)note.textContent+=" "+midRange[0]+" … "+midRange[1];
function line(g,v,w,h,colour){const r=range(v);if(!r)return;g.strokeStyle=colour;g.beginPath();let on=false;
v.forEach((y,i)=>{if(y===null){on=false;return}const px=(data.times[i]-t0)/((t1-t0)||1)*w,py=h-6-(y-r[0])/(r[1]-r[0])*(h-12);if(on)g.lineTo(px,py);else g.moveTo(px,py);on=true});g.stroke()}
for(const s of data.series){if(s===mid&&data.series.length>1)continue;
const h2=document.createElement("h2"),c=document.createElement("canvas"),r=range(s.values);
h2.textContent=s.name+(r?"  "+r[0].toPrecision(6)+" … "+r[1].toPrecision(6):"  never ready");
panels.append(h2,c);const k=devicePixelRatio||1,w=c.clientWidth,h=c.clientHeight;c.width=w*k;c.height=h*k;
const g=c.getContext("2d");g.scale(k,k);g.lineWidth=1;if(s!==mid)line(g,mid.values,w,h,"#c3cad3");line(g,s.values,w,h,"#0b62c4")}
`;
