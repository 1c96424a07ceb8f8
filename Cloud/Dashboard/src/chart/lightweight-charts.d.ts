// The part of TradingView Lightweight Charts 5.2 that the dashboard uses. The file sets `window.LightweightCharts` and exports nothing.
declare module "lightweight-charts" {}

declare namespace LightweightCharts {
  /** Seconds since 1970. */
  type Time = number;
  interface Bar { readonly time: Time; readonly open: number; readonly high: number; readonly low: number; readonly close: number }
  interface Column { readonly time: Time; readonly value: number; readonly color?: string }
  interface Marker {
    readonly time: Time; readonly position: "aboveBar" | "belowBar"; readonly shape: "arrowUp" | "arrowDown"; readonly color: string; readonly text: string;
  }
  interface LineOptions {
    readonly price: number; readonly color: string; readonly lineWidth: number; readonly lineStyle: number; readonly axisLabelVisible: boolean; readonly title: string;
    /** Ours; the library does not look at it. */
    readonly kind: "position" | "order";
  }
  interface PriceLine { applyOptions(options: Partial<LineOptions>): void }
  interface Series<Row> {
    setData(rows: readonly Row[]): void;
    update(row: Row): void;
    applyOptions(options: object): void;
    createPriceLine(options: LineOptions): PriceLine;
    removePriceLine(line: PriceLine): void;
    /** Pixels from the pane's top; null while there is nothing to measure by. */
    priceToCoordinate(price: number): number | null;
    priceScale(): { applyOptions(options: object): void };
  }
  interface Markers { setMarkers(markers: readonly Marker[]): void }
  interface Scale { readonly priceRange: { readonly minValue: number; readonly maxValue: number }; readonly margins?: object }
  interface Crosshair { readonly time?: Time }
  interface Chart {
    addSeries<Row>(kind: Kind<Row>, options: object): Series<Row>;
    applyOptions(options: object): void;
    timeScale(): {
      width(): number;
      setVisibleLogicalRange(range: { readonly from: number; readonly to: number }): void;
      subscribeVisibleLogicalRangeChange(handler: () => void): void;
      subscribeSizeChange(handler: () => void): void;
    };
    paneSize(): { readonly width: number; readonly height: number };
    subscribeCrosshairMove(handler: (event: Crosshair) => void): void;
    remove(): void;
  }
  interface Kind<Row> { readonly row?: Row }
  interface Library {
    readonly CandlestickSeries: Kind<Bar>;
    readonly HistogramSeries: Kind<Column>;
    createChart(element: HTMLElement, options: object): Chart;
    createSeriesMarkers(series: Series<Bar>, markers: readonly Marker[]): Markers;
  }
}

interface Window { readonly LightweightCharts?: LightweightCharts.Library }
