package dev.muelle.services.cloudwatch;

import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.services.cloudwatch.series.Refuse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;
import software.amazon.awssdk.services.cloudwatch.model.StatusCode;

/**
 * A page of GetMetricData: so many points at most, of one query's series after the other. Where the
 * next one begins is said by a point's time, so points that come meanwhile move nothing into it
 * twice; and queries that are over are not worked out again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html">MetricDataResult</a>
 */
final class DataPage {

  private final int most;
  private final boolean ascending;
  private final List<MetricDataResult> results = new ArrayList<>();
  private int count;

  DataPage(int most, boolean ascending) {
    this.most = most;
    this.ascending = ascending;
  }

  /**
   * Where a page begins.
   *
   * @param query which one of those whose data are asked for
   * @param series which one of its series
   * @param after epoch second of the last point before it; null for the series' beginning
   */
  record Place(int query, int series, @Nullable Long after) {

    private static final Pattern FORM = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,12})?");

    static Place of(@Nullable String text) {
      if (text == null) {
        return new Place(0, 0, null);
      }
      Matcher parts = FORM.matcher(text);
      if (!parts.matches()) {
        throw Refuse.token();
      }
      return new Place(
          Integer.parseInt(parts.group(1)),
          Integer.parseInt(parts.group(2)),
          parts.group(3) == null ? null : Long.valueOf(parts.group(3)));
    }

    String text() {
      return query + "." + series + "." + (after == null ? "" : after);
    }
  }

  List<MetricDataResult> results() {
    return results;
  }

  /** Takes what there is room for; gives where the next page begins, or null if that is all. */
  @Nullable Place fill(Place from, Queries.Answers answers) {
    List<String> ids = answers.ids();
    for (int query = from.query(); query < ids.size(); query++) {
      int first = query == from.query() ? from.series() : 0;
      if (count == most) {
        return new Place(query, 0, null);
      }
      List<Queries.Result> all = answers.of(ids.get(query));
      for (int i = first; i < all.size(); i++) {
        if (count == most) {
          return new Place(query, i, null);
        }
        Long after = query == from.query() && i == from.series() ? from.after() : null;
        Long last = add(all.get(i), after);
        if (last != null) {
          return new Place(query, i, last);
        }
      }
    }
    return null;
  }

  /** Gives the time of the last point that found room, if there are more. */
  private @Nullable Long add(Queries.Result result, @Nullable Long after) {
    NavigableMap<Long, Double> points = result.series().points();
    NavigableMap<Long, Double> left = ascending ? points : points.descendingMap();
    if (after != null) {
      left = left.tailMap(after, false);
    }
    List<Instant> times = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    Long last = null;
    for (var point : left.entrySet()) {
      if (count == most) {
        break;
      }
      last = point.getKey();
      times.add(Instant.ofEpochSecond(last));
      values.add(point.getValue());
      count++;
    }
    boolean more = values.size() < left.size();
    results.add(
        MetricDataResult.builder()
            .id(result.id())
            .label(result.series().label())
            .timestamps(times)
            .values(values)
            .statusCode(more ? StatusCode.PARTIAL_DATA : StatusCode.COMPLETE)
            .build());
    return more ? last : null;
  }
}
