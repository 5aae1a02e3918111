package dev.muelle.balancer.metrics;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counters of one load balancer or one target group; all but active connections only grow. What
 * happens in a zone is counted there, and with the whole.
 */
public final class Metrics {

  /** What is simply counted. */
  public enum Count {
    REQUESTS,
    IPV6_REQUESTS,
    GRPC_REQUESTS,
    /** Requests that are not as the RFCs have them, and are refused. */
    MALFORMED_REQUESTS,
    /** Requests with fields that targets did not hear of, for their names. */
    FIELDS_DROPPED,
    /** Requests with fields of such names that targets did hear of. */
    FIELDS_FORWARDED,
    /** Rules that requests were held against, but for default ones. */
    RULES,
    FIXED_RESPONSES,
    REDIRECTS,
    /** Redirects to what is longer than can be told. */
    LONG_REDIRECTS,
    /** Heads and bodies, from clients and to them. */
    BYTES,
    IPV6_BYTES,
    CONNECTIONS,
    /** Clients that came when there were too many. */
    REJECTED_CONNECTIONS,
    /** Clients that came to no TLS session. */
    HANDSHAKE_ERRORS,
    TARGET_CONNECTION_ERRORS,
    TARGET_HANDSHAKE_ERRORS,
    /** Requests to a target that the client did not have before, of groups that are sticky. */
    NOT_STICKY,
    /** Requests of which also unhealthy targets might have been chosen. */
    FAILED_OPEN
  }

  private final @Nullable Metrics whole;
  private final Map<String, Metrics> zones = new ConcurrentHashMap<>();
  private final Map<Count, LongAdder> counts = new EnumMap<>(Count.class); // filled once
  private final LongAdder[] fromTarget = adders(6);
  private final LongAdder[] fromBalancer = adders(6);
  private final LongAdder[] faults = adders(6); // 500 to 505, of the load balancer's own
  private final LongAdder activeConnections = new LongAdder();
  private final ResponseTimes times = new ResponseTimes();

  public Metrics() {
    this(null);
  }

  private Metrics(@Nullable Metrics whole) {
    this.whole = whole;
    for (Count what : Count.values()) {
      counts.put(what, new LongAdder());
    }
  }

  private static LongAdder[] adders(int number) {
    LongAdder[] adders = new LongAdder[number];
    for (int i = 0; i < adders.length; i++) {
      adders[i] = new LongAdder();
    }
    return adders;
  }

  /** Where to count what happens in a zone; null stands for what happens in none. */
  public Metrics in(@Nullable String zone) {
    if (zone == null) {
      return this;
    }
    Metrics part = zones.get(zone);
    return part != null ? part : zones.computeIfAbsent(zone, z -> new Metrics(this));
  }

  /** The parts of zones in which something has happened. */
  public Map<String, Metrics> zones() {
    return Map.copyOf(zones);
  }

  public void add(Count what) {
    add(what, 1);
  }

  public void add(Count what, long number) {
    of(what).add(number);
    if (whole != null) {
      whole.add(what, number);
    }
  }

  /** A target's answer began so long after its request was sent. */
  public void answered(int status, long nanos) {
    fromTarget[Math.clamp(status / 100, 0, 5)].increment();
    times.add(nanos);
    if (whole != null) {
      whole.answered(status, nanos);
    }
  }

  /** The load balancer answers by itself. */
  public void answeredHere(int status) {
    fromBalancer[Math.clamp(status / 100, 0, 5)].increment();
    if (status >= 500 && status < 500 + faults.length) {
      faults[status - 500].increment();
    }
    if (whole != null) {
      whole.answeredHere(status);
    }
  }

  public void connected() {
    add(Count.CONNECTIONS);
    active(1);
  }

  public void disconnected() {
    active(-1);
  }

  private void active(int more) {
    activeConnections.add(more);
    if (whole != null) {
      whole.active(more);
    }
  }

  private LongAdder of(Count what) {
    return Objects.requireNonNull(counts.get(what));
  }

  public long get(Count what) {
    return of(what).sum();
  }

  /** Answers of targets with a status of this class, 1 to 5. */
  public long targetAnswers(int statusClass) {
    return fromTarget[statusClass].sum();
  }

  /** Answers that the load balancer gave itself, with a status of this class, 1 to 5. */
  public long ownAnswers(int statusClass) {
    return fromBalancer[statusClass].sum();
  }

  /** Answers that the load balancer gave itself, with this status, 500 to 505. */
  public long ownFaults(int status) {
    return faults[status - 500].sum();
  }

  /** How often targets took how long; {@link #seconds} says how long each of these is. */
  public int[] responseTimes() {
    return times.counts();
  }

  /** How long, about, an answer took that is counted at this place of {@link #responseTimes}. */
  public static double seconds(int place) {
    return ResponseTimes.seconds(place);
  }

  public long activeConnections() {
    return activeConnections.sum();
  }
}
