package dev.muelle.chart;

import java.awt.Color;
import java.awt.Font;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Colors and letters. */
record Look(Color paper, Color ink, Color grid) {

  static final Font TEXT = new Font(Font.SANS_SERIF, Font.PLAIN, 11);
  static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 14);

  private static final Look LIGHT = new Look(Color.WHITE, new Color(0x444444), new Color(0xdddddd));
  private static final Look DARK =
      new Look(new Color(0x1a2029), new Color(0xd5dbdb), new Color(0x39424f));

  /** D3's category10, which CloudWatch's console takes as well. */
  private static final List<Integer> PALETTE =
      List.of(
          0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd, 0x8c564b, 0xe377c2, 0x7f7f7f, 0xbcbd22,
          0x17becf);

  static Look of(Chart chart) {
    return chart.dark() ? DARK : LIGHT;
  }

  /** A series' own color, or that of its place. */
  static Color color(Chart.Series series, int place) {
    return color(series.color(), PALETTE.get(place % PALETTE.size()));
  }

  static Color color(@Nullable String written, int otherwise) {
    return written == null ? new Color(otherwise) : Color.decode(written);
  }

  static Color tint(Color color) {
    return new Color(color.getRed(), color.getGreen(), color.getBlue(), 48);
  }
}
