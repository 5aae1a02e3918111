package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;

/** Where it is counted what becomes of a request: with its load balancer and its target group. */
record Tally(Metrics balancer, Metrics group) {

  void add(Count what) {
    balancer.add(what);
    group.add(what);
  }

  void answered(int status, long nanos) {
    balancer.answered(status, nanos);
    group.answered(status, nanos);
  }
}
