package dev.muelle.region.server;

import dev.muelle.wire.http.Drained;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.WebSocket;
import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.util.Optional;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** One handler at one or more addresses; each request on a virtual thread of its own. */
public final class HttpServer implements AutoCloseable {

  private static final int MAX_HEAD_BYTES = 64 * 1024;
  private static final int MAX_THREADS = 16; // for I/O only; handlers run on virtual threads
  private static final long IDLE_MILLIS = 120_000;
  private static final long STOP_MILLIS = 5_000;

  private final Server server;

  public HttpServer(String name, HttpHandler handler) {
    this(name, handler, path -> Optional.empty());
  }

  /**
   * As the other one.
   *
   * @param sockets asked first where a client wants a web socket
   */
  public HttpServer(String name, HttpHandler handler, WebSocket.Door sockets) {
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS);
    threads.setName(name);
    threads.setVirtualThreadsExecutor(
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(name + "-", 0).factory()));
    server = new Server(threads);
    server.setHandler(new HandlerAdapter(new Drained(handler)));
    WebSocketUpgradeHandler upgrade =
        WebSocketUpgradeHandler.from(server, Sockets.serving(sockets));
    upgrade.setHandler(server.getHandler());
    server.setHandler(upgrade);
    server.setStopTimeout(STOP_MILLIS);
    // Whatever Jetty itself refuses (a malformed head) is answered without a page about Jetty.
    server.setErrorHandler(new PlainErrors());
  }

  /**
   * Listens at a host address.
   *
   * @param port 0 for any free one
   * @return the port
   * @throws IOException if the address is taken
   */
  public int listen(String address, int port) throws IOException {
    ServerConnector connector = connector(http());
    connector.setHost(address);
    connector.setPort(port);
    connector.open();
    server.addConnector(connector);
    return connector.getLocalPort();
  }

  /** Listens at a socket that was bound elsewhere, for example inside a VPC. */
  public void listen(ServerSocketChannel bound) throws IOException {
    ServerConnector connector = connector(http());
    connector.open(bound);
    server.addConnector(connector);
  }

  /** The same by HTTPS. */
  public void listen(ServerSocketChannel bound, SSLContext tls) throws IOException {
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setSslContext(tls);
    ServerConnector connector =
        connector(new SslConnectionFactory(ssl, HttpVersion.HTTP_1_1.asString()), http());
    connector.open(bound);
    server.addConnector(connector);
  }

  /** Begins to answer. */
  public void start() throws IOException {
    try {
      server.start();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("cannot start", e);
    }
  }

  private ServerConnector connector(ConnectionFactory... protocols) {
    ServerConnector connector = new ServerConnector(server, 1, 1, protocols);
    connector.setIdleTimeout(IDLE_MILLIS);
    connector.setAcceptQueueSize(1024);
    connector.setReuseAddress(true);
    return connector;
  }

  private static HttpConnectionFactory http() {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(true);
    http.setRequestHeaderSize(MAX_HEAD_BYTES);
    // Signatures cover the path as it was sent, so it must reach us as it was sent.
    http.setUriCompliance(UriCompliance.UNSAFE);
    return new HttpConnectionFactory(http);
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("cannot stop", e);
    }
  }
}
