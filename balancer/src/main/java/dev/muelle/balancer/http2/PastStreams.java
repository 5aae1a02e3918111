package dev.muelle.balancer.http2;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What became of streams that are no more, as far back as a client may not have heard of it: it
 * says what to do with what still comes for them.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113#section-5.1">RFC 9113, section 5.1</a>
 */
public final class PastStreams {

  /**
   * A client that knows how many streams it may have, 128, cannot have more of which it has not
   * heard that they were reset. Before it knows it may have begun others, and ends with its
   * connection when 200 were refused.
   */
  private static final int MOST = 128 + 200;

  /** Numbers between two of the client's streams: it began none of them, and cannot any more. */
  private record Gap(int first, int last) {}

  private static final int[] NONE = {};

  private int[] reset = NONE;
  private int resets;
  private int highest = -1;
  private List<Gap> gaps = List.of();

  PastStreams() {}

  /** The client has begun one. */
  public void began(int stream) {
    if (stream > highest + 2) {
      if (gaps.isEmpty()) {
        gaps = new ArrayList<>(1);
      } else if (gaps.size() == MOST) {
        gaps.removeFirst();
      }
      gaps.add(new Gap(highest + 2, stream - 2));
    }
    highest = Math.max(highest, stream);
  }

  /** Whether the client has begun a later one, but never this one. */
  boolean passedOver(int stream) {
    return gaps.stream().anyMatch(gap -> stream >= gap.first() && stream <= gap.last());
  }

  /** We have reset one, and the client may send for it until it hears of that. */
  public void reset(int stream) {
    if (reset.length == 0) {
      reset = new int[MOST];
    }
    reset[resets++ % MOST] = stream;
  }

  public boolean wasReset(int stream) {
    return Arrays.stream(reset).anyMatch(one -> one == stream);
  }
}
