package dev.muelle.balancer.logs;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who is told what a load balancer has done. Told on event loops: it must not wait there, and
 * rather forgets.
 *
 * @param requests null if nobody wants to hear of requests: then nothing is noted of them
 * @param connections null if nobody wants to hear of connections
 * @param checks null if nobody wants to hear of health checks
 * @param flows null if nobody wants to hear of a network load balancer's TLS connections
 */
public record Journal(
    @Nullable Consumer<Served> requests,
    @Nullable Consumer<Connected> connections,
    @Nullable Consumer<Checked> checks,
    @Nullable Consumer<Flowed> flows) {

  /** Nobody wants to hear. */
  public static final Journal NONE = new Journal(null, null, null, null);
}
