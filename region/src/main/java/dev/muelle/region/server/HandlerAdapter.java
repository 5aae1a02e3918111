package dev.muelle.region.server;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Jetty's exchange as ours. */
final class HandlerAdapter extends Handler.Abstract {

  private final HttpHandler handler;

  HandlerAdapter(HttpHandler handler) {
    this.handler = handler;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    try {
      HttpResponse answer = handler.handle(translate(request));
      limit(answer.hops(), request);
      answer(answer, response);
      callback.succeeded();
    } catch (IOException | RuntimeException e) {
      callback.failed(e);
    }
    return true;
  }

  private static HttpRequest translate(Request request) {
    Map<String, List<String>> headers = new LinkedHashMap<>();
    for (HttpField field : request.getHeaders()) {
      headers
          .computeIfAbsent(field.getName().toLowerCase(Locale.ROOT), name -> new ArrayList<>(1))
          .add(field.getValue() == null ? "" : field.getValue());
    }
    String path = request.getHttpURI().getPath();
    String query = request.getHttpURI().getQuery();
    return new HttpRequest(
        request.getMethod(),
        path == null ? "/" : path,
        query == null ? "" : query,
        headers,
        Request.getRemoteAddr(request),
        Content.Source.asInputStream(request));
  }

  /**
   * Says by a packet's TOS how far it may go, since Java has no word for its TTL; the VPC's filters
   * make that of it. What a connection carries later is asked anew.
   */
  private static void limit(int hops, Request request) throws IOException {
    EndPoint end = request.getConnectionMetaData().getConnection().getEndPoint();
    if (end instanceof SocketChannelEndPoint socket
        && end.getLocalSocketAddress() instanceof InetSocketAddress here
        && here.getAddress() instanceof Inet4Address) {
      SocketChannel channel = socket.getChannel();
      int wanted = hops << 2;
      if (channel.getOption(StandardSocketOptions.IP_TOS) != wanted) {
        channel.setOption(StandardSocketOptions.IP_TOS, wanted);
      }
    }
  }

  private static void answer(HttpResponse answer, Response response) throws IOException {
    response.setStatus(answer.status());
    for (Map.Entry<String, List<String>> header : answer.headers().entrySet()) {
      for (String value : header.getValue()) {
        response.getHeaders().add(header.getKey(), value);
      }
    }
    if (answer.length() >= 0 && answer.status() != 204) {
      response.getHeaders().put("Content-Length", answer.length());
    }
    try (OutputStream out = Content.Sink.asOutputStream(response)) {
      answer.body().writeTo(out);
    }
  }
}
