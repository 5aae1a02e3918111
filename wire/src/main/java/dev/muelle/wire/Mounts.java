package dev.muelle.wire;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequest;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.SdkPojo;

/**
 * The services behind the door: any SDK for Java client interface, mounted with one line.
 *
 * <pre>{@code
 * Mounts mounts = new Mounts()
 *     .mount(EcsClient.class, caller -> region(caller.account(), caller.region()).ecs())
 *     .mount(StsClient.class, caller -> new Sts());
 * }</pre>
 *
 * <p>Mounted before the first request; then only read, by any number of threads. An interface is
 * inspected when its first request comes, so that starting with many costs nothing.
 */
public final class Mounts {
  private final Shapes shapes = new Shapes();
  private final Map<Class<?>, Mount> mounts = new LinkedHashMap<>();

  /**
   * Serves a client interface.
   *
   * @param client the SDK's interface, for example {@code EcsClient.class}
   * @param implementation finds who serves this caller; called once per request
   * @throws IllegalArgumentException if the interface is mounted already or is no SDK client
   */
  public <C extends SdkClient> Mounts mount(
      Class<C> client, Function<Caller, ? extends C> implementation) {
    if (mounts.containsKey(client)) {
      throw new IllegalArgumentException(client.getName() + " is mounted already");
    }
    mounts.put(client, new Mount(client, ServiceModel.signingName(client), implementation, shapes));
    return this;
  }

  /**
   * Serves an operation of a mounted interface's service whose answer is a stream of events, for
   * which the interface has no method.
   *
   * @param request the operation's, for example {@code StartLiveTailRequest.class}
   * @param begin checks the request in the caller's name and gives what is to be answered; an
   *     exception that it throws is an ordinary answer
   * @throws IllegalArgumentException if the interface is not mounted
   */
  public <R extends AwsRequest> Mounts mountStream(
      Class<? extends SdkClient> client,
      Class<R> request,
      BiFunction<Caller, ? super R, EventStream> begin) {
    Mount mount = mounts.get(client);
    if (mount == null) {
      throw new IllegalArgumentException(client.getName() + " is not mounted");
    }
    mount.streams.put(request, (caller, any) -> begin.apply(caller, request.cast(any)));
    return this;
  }

  /**
   * One of these services, and nothing else: what answers at an address of its own.
   *
   * @throws IllegalArgumentException if it is not mounted
   */
  public Mounts only(Class<? extends SdkClient> client) {
    Mount mount = mounts.get(client);
    if (mount == null) {
      throw new IllegalArgumentException(client.getName() + " is not mounted");
    }
    Mounts one = new Mounts();
    one.mounts.put(client, mount);
    return one;
  }

  /** The mounted interfaces, in order of mounting. */
  public List<Class<? extends SdkClient>> clients() {
    List<Class<? extends SdkClient>> clients = new ArrayList<>();
    mounts.values().forEach(mount -> clients.add(mount.client));
    return List.copyOf(clients);
  }

  Shapes shapes() {
    return shapes;
  }

  /** The mounts whose requests are signed with this name; several versions may share one. */
  List<Mount> signedAs(String signingName) {
    return mounts.values().stream().filter(m -> m.signingName.equals(signingName)).toList();
  }

  Optional<Mount> first(Predicate<ServiceModel> asked) {
    return mounts.values().stream().filter(mount -> asked.test(mount.model())).findFirst();
  }

  /** One mounted interface. */
  static final class Mount {
    private final Class<? extends SdkClient> client;
    private final String signingName;
    private final Function<Caller, ? extends SdkClient> implementation;
    private final Shapes shapes;
    private final Map<Class<?>, BiFunction<Caller, SdkPojo, EventStream>> streams =
        new LinkedHashMap<>();
    private volatile @Nullable ServiceModel model;

    private Mount(
        Class<? extends SdkClient> client,
        String signingName,
        Function<Caller, ? extends SdkClient> implementation,
        Shapes shapes) {
      this.client = client;
      this.signingName = signingName;
      this.implementation = implementation;
      this.shapes = shapes;
    }

    ServiceModel model() {
      ServiceModel known = model;
      if (known == null) {
        known = ServiceModel.of(client, shapes); // two threads may both do it; either result serves
        streams.forEach(known::add);
        model = known;
      }
      return known;
    }

    String signingName() {
      return signingName;
    }

    SdkClient implementation(Caller caller) {
      return implementation.apply(caller);
    }
  }
}
