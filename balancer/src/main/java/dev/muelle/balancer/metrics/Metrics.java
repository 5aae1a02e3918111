package dev.muelle.balancer.metrics;

import java.util.concurrent.atomic.LongAdder;

/** Counters of one load balancer or one target group; all but active connections only grow. */
public final class Metrics {

  private final LongAdder requests = new LongAdder();
  private final LongAdder[] fromTarget = classes();
  private final LongAdder[] fromBalancer = classes();
  private final LongAdder connectionErrors = new LongAdder();
  private final LongAdder newConnections = new LongAdder();
  private final LongAdder activeConnections = new LongAdder();
  private final LongAdder responseNanos = new LongAdder();
  private final LongAdder responses = new LongAdder();
  private final LongAdder handshakeErrors = new LongAdder();
  private final LongAdder fixedResponses = new LongAdder();
  private final LongAdder redirects = new LongAdder();
  private final LongAdder[] faults = classes(); // 500 to 505, of the load balancer's own
  private final ResponseTimes times = new ResponseTimes();

  public Metrics() {}

  private static LongAdder[] classes() {
    LongAdder[] adders = new LongAdder[6];
    for (int i = 0; i < adders.length; i++) {
      adders[i] = new LongAdder();
    }
    return adders;
  }

  public void request() {
    requests.increment();
  }

  public void answered(int status, long nanos) {
    fromTarget[Math.clamp(status / 100, 0, 5)].increment();
    responses.increment();
    responseNanos.add(nanos);
    times.add(nanos);
  }

  public void answeredHere(int status) {
    fromBalancer[Math.clamp(status / 100, 0, 5)].increment();
    if (status >= 500 && status < 500 + faults.length) {
      faults[status - 500].increment();
    }
  }

  public void fixedResponse() {
    fixedResponses.increment();
  }

  public void redirect() {
    redirects.increment();
  }

  public void connectionError() {
    connectionErrors.increment();
  }

  public void handshakeError() {
    handshakeErrors.increment();
  }

  public void connected() {
    newConnections.increment();
    activeConnections.increment();
  }

  public void disconnected() {
    activeConnections.decrement();
  }

  public long requests() {
    return requests.sum();
  }

  /** Answers of targets with a status of this class, 1 to 5. */
  public long targetAnswers(int statusClass) {
    return fromTarget[statusClass].sum();
  }

  /** Answers that the load balancer gave itself, with a status of this class, 1 to 5. */
  public long ownAnswers(int statusClass) {
    return fromBalancer[statusClass].sum();
  }

  public long targetConnectionErrors() {
    return connectionErrors.sum();
  }

  /** Answers that the load balancer gave itself, with this status, 500 to 505. */
  public long ownFaults(int status) {
    return faults[status - 500].sum();
  }

  public long fixedResponses() {
    return fixedResponses.sum();
  }

  public long redirects() {
    return redirects.sum();
  }

  /** How often targets took how long; {@link #seconds} says how long each of these is. */
  public int[] responseTimes() {
    return times.counts();
  }

  /** How long, about, an answer took that is counted at this place of {@link #responseTimes}. */
  public static double seconds(int place) {
    return ResponseTimes.seconds(place);
  }

  /** Clients that came to no TLS session: {@code ClientTLSNegotiationErrorCount}. */
  public long handshakeErrors() {
    return handshakeErrors.sum();
  }

  public long newConnections() {
    return newConnections.sum();
  }

  public long activeConnections() {
    return activeConnections.sum();
  }

  /**
   * Nanoseconds from a request's sending until its answer began, over all of {@link #responses}.
   */
  public long responseNanos() {
    return responseNanos.sum();
  }

  public long responses() {
    return responses.sum();
  }
}
