package dev.muelle.balancer.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS to targets. Any certificate will do, also an expired one that they signed themselves: as with
 * AWS's load balancers, it is the VPC that says who a target is.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-routing-configuration">
 *     Routing configuration</a>
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close cannot fail
public final class TargetTls {

  private static final long HANDSHAKE_MILLIS = 10_000;

  /** Old targets are spoken to as well, as by the policy that ALB has for them. */
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"};

  /** In clear. */
  private static final TargetTls NONE = new TargetTls(null, "");

  private static final TargetTls HTTP1 =
      new TargetTls(context(ApplicationProtocolNames.HTTP_1_1), "");
  private static final TargetTls HTTP2 =
      new TargetTls(context(ApplicationProtocolNames.HTTP_2), ApplicationProtocolNames.HTTP_2);

  /** By what a target is asked for; as many as ALPN policies have protocols. */
  private static final Map<String, SslContext> FLOWS = new ConcurrentHashMap<>();

  private final @Nullable SslContext context;
  private final String required;

  /**
   * A way to speak with targets.
   *
   * @param context null in clear
   * @param required what a target must choose; empty if it need not choose anything
   */
  private TargetTls(@Nullable SslContext context, String required) {
    this.context = context;
    this.required = required;
  }

  public static TargetTls of(boolean secure, boolean http2) {
    return !secure ? NONE : http2 ? HTTP2 : HTTP1;
  }

  /**
   * For a connection whose bytes are not looked at.
   *
   * @param alpn what is asked for; null or empty if nothing
   */
  public static SslHandler handler(ByteBufAllocator allocator, @Nullable String alpn) {
    return FLOWS
        .computeIfAbsent(alpn == null ? "" : alpn, TargetTls::context)
        .newHandler(allocator);
  }

  private static SslContext context(String application) {
    try {
      return SslContextBuilder.forClient()
          .sslProvider(SslProvider.OPENSSL)
          .protocols(PROTOCOLS)
          .endpointIdentificationAlgorithm(null)
          .trustManager(InsecureTrustManagerFactory.INSTANCE)
          .applicationProtocolConfig(
              application.isEmpty()
                  ? ApplicationProtocolConfig.DISABLED
                  : new ApplicationProtocolConfig(
                      Protocol.ALPN,
                      SelectorFailureBehavior.NO_ADVERTISE,
                      SelectedListenerFailureBehavior.ACCEPT,
                      List.of(application)))
          .build();
    } catch (SSLException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Shakes hands on a connection that stands, if it is to be secure.
   *
   * @param shaken hears of it; null if it came to no session
   */
  public void shake(Channel channel, Consumer<@Nullable Channel> shaken) {
    if (context == null) {
      shaken.accept(channel);
      return;
    }
    SslHandler handler = context.newHandler(channel.alloc());
    handler.setHandshakeTimeoutMillis(HANDSHAKE_MILLIS);
    channel.pipeline().addLast(handler);
    handler
        .handshakeFuture()
        .addListener(handshake -> {
          boolean spoken = required.isEmpty() || required.equals(handler.applicationProtocol());
          if (handshake.isSuccess() && spoken) {
            channel.config().setAutoRead(false); // until somebody listens
            shaken.accept(channel);
          } else {
            channel.close();
            shaken.accept(null); // also if it took too long: ALB says 502 then
          }
        });
    channel.config().setAutoRead(true);
  }
}
