package dev.muelle.balancer.targets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.channel.ConnectTimeoutException;
import java.net.BindException;
import java.net.ConnectException;
import org.junit.jupiter.api.Test;

/** What a failure to connect is told as. */
class ReachTest {

  @Test
  void failuresAreToldApart() {
    assertEquals(Reach.CONNECTED, Reach.of(null));
    assertEquals(Reach.TIMED_OUT, Reach.of(new ConnectTimeoutException("10000 ms")));
    assertEquals(Reach.NO_PORT, Reach.of(new BindException("Address already in use")));
    assertEquals(Reach.REFUSED, Reach.of(new ConnectException("Connection refused")));
  }
}
