package dev.muelle.wire;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequest;
import software.amazon.awssdk.awscore.AwsResponse;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.protocols.core.OperationInfo;

/**
 * All that the wire layer knows of a service, read from its SDK client interface. What the SDK does
 * not say, because a client never needs it, is in three tables: {@link #XML_NAMESPACES}, {@link
 * #TARGET_PREFIXES} and {@link #CREATING}.
 */
final class ServiceModel {

  /**
   * Namespaces of XML answers that do not follow the rule {@code http://<signing
   * name>.amazonaws.com/doc/<version>/}. Clients ignore the namespace, people who compare do not.
   */
  private static final Map<String, String> XML_NAMESPACES =
      Map.of(
          "iam", "https://iam.amazonaws.com/doc/",
          "sts", "https://sts.amazonaws.com/doc/");

  /**
   * What other SDKs call services that the SDK for Java still speaks to by queries: before the dot
   * in X-Amz-Target, and in the path of rpcv2Cbor.
   */
  private static final Map<String, String> TARGET_PREFIXES =
      Map.of("monitoring", "GraniteServiceVersion20100801");

  /** Operations of restJson1 that answer 201 instead of 200. */
  private static final Map<String, Set<String>> CREATING =
      Map.of("arc-zonal-shift", Set.of("StartZonalShift"));

  private final Class<? extends SdkClient> client;
  private final String signingName;
  private final ClientClassFile file;
  private final Protocol protocol;
  private final Map<String, Method> methods;
  private final Map<String, Operation> operations = new ConcurrentHashMap<>();
  private final OperationInfo anyOperation;

  /** Names of operations by where they are; none where names are sent. */
  private final Map<Resource, String> resources = new LinkedHashMap<>(); // filled once

  private ServiceModel(
      Class<? extends SdkClient> client,
      String signingName,
      ClientClassFile file,
      Protocol protocol,
      Map<String, Method> methods) {
    this.client = client;
    this.signingName = signingName;
    this.file = file;
    this.protocol = protocol;
    this.methods = methods;
    this.anyOperation = info(request(methods.values().iterator().next()));
    if (protocol instanceof RestJson) {
      methods
          .values()
          .forEach(method -> resources.put(resource(info(request(method))), wireName(method)));
    }
  }

  /** The status of an operation's answers that are no errors. */
  int status(String operation) {
    return CREATING.getOrDefault(signingName, Set.of()).contains(operation) ? 201 : 200;
  }

  /**
   * Reads a client interface.
   *
   * @throws IllegalArgumentException if it is none, or of a protocol that is not spoken here
   */
  static ServiceModel of(Class<? extends SdkClient> client, Shapes shapes) {
    ClientClassFile file = ClientClassFile.of(client);
    Protocol protocol =
        file.protocol(shapes)
            .orElseThrow(() ->
                new IllegalArgumentException(
                    client.getName() + " speaks " + file.serviceProtocol() + ", not built"));
    return new ServiceModel(client, signingName(client), file, protocol, operationMethods(client));
  }

  /** The name in the credential scope, for example {@code elasticloadbalancing}. */
  static String signingName(Class<? extends SdkClient> client) {
    try {
      return (String) client.getField("SERVICE_NAME").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(client.getName() + " is not an SDK client interface", e);
    }
  }

  /**
   * The interface's operations by lower-case name. An operation is a method from one request to one
   * response; overloads for convenience, paginators, waiters and streams are not.
   */
  static Map<String, Method> operationMethods(Class<? extends SdkClient> client) {
    Map<String, Method> methods = new TreeMap<>();
    for (Method method : client.getDeclaredMethods()) {
      if (!Modifier.isStatic(method.getModifiers())
          && method.getParameterCount() == 1
          && AwsRequest.class.isAssignableFrom(method.getParameterTypes()[0])
          && AwsResponse.class.isAssignableFrom(method.getReturnType())) {
        methods.put(method.getName().toLowerCase(Locale.ROOT), method);
      }
    }
    return Collections.unmodifiableMap(methods);
  }

  Class<? extends SdkClient> client() {
    return client;
  }

  String signingName() {
    return signingName;
  }

  Protocol protocol() {
    return protocol;
  }

  Map<String, ClientClassFile.WireError> errors() {
    return file.errors();
  }

  /** The date that the query protocols send as Version; empty for JSON. */
  String apiVersion() {
    String version = anyOperation.apiVersion();
    return version == null ? "" : version;
  }

  /** What stands before the dot in X-Amz-Target; empty where only queries are spoken. */
  String targetPrefix() {
    @Nullable String identifier = anyOperation.operationIdentifier();
    int dot = identifier == null ? -1 : identifier.indexOf('.');
    return dot < 0 ? TARGET_PREFIXES.getOrDefault(signingName, "") : identifier.substring(0, dot);
  }

  String xmlNamespace() {
    String host = "http://" + signingName + ".amazonaws.com/doc/";
    return XML_NAMESPACES.getOrDefault(signingName, host) + apiVersion() + "/";
  }

  /** The operation of this name on the wire. */
  Optional<Operation> operation(String name) {
    Operation known = operations.get(name);
    if (known != null) {
      return Optional.of(known);
    }
    // The SDK changes only the case of names (CreateDBCluster becomes createDbCluster).
    Method method = methods.get(name.toLowerCase(Locale.ROOT));
    if (method == null) {
      return Optional.empty();
    }
    Operation operation = read(method);
    if (!operation.name().equals(name)) {
      return Optional.empty();
    }
    operations.putIfAbsent(name, operation);
    return Optional.of(operation);
  }

  private Operation read(Method method) {
    return new Operation(
        this,
        wireName(method),
        resource(info(request(method))),
        builder(request(method)),
        new Operation.Call.Once(call(method)));
  }

  private static Resource resource(OperationInfo info) {
    return Resource.of(info.httpMethod().name(), info.requestUri());
  }

  /** The name of the operation that a request of a REST protocol is for. */
  Optional<String> at(String method, String path) {
    return resources.entrySet().stream()
        .filter(one -> one.getKey().labels(method, path).isPresent())
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** Serves an operation that the interface has no method for. */
  void add(Class<?> request, BiFunction<Caller, SdkPojo, EventStream> begin) {
    String name = wireName(request);
    operations.put(
        name,
        new Operation(
            this,
            name,
            resource(info(request)),
            builder(request),
            new Operation.Call.Streaming(begin)));
  }

  /** What an exception of this service is in the middle of an answer. */
  Failure failure(AwsServiceException error) {
    ClientClassFile.WireError modelled = file.errors().get(error.getClass().getName());
    String message = error.toBuilder().message();
    return new Failure(
        modelled == null ? error.getClass().getSimpleName() : modelled.code(),
        400,
        message == null ? "" : message,
        error);
  }

  private static Class<?> request(Method method) {
    return method.getParameterTypes()[0];
  }

  /** The operation's name on the wire, for example {@code DescribeClusters}. */
  static String wireName(Method method) {
    return wireName(request(method));
  }

  private static String wireName(Class<?> request) {
    @Nullable String identifier = info(request).operationIdentifier();
    return identifier == null // REST: no client sends it
        ? request.getSimpleName().replaceFirst("Request$", "")
        : identifier.substring(identifier.indexOf('.') + 1);
  }

  private static MethodHandle call(Method method) {
    try {
      return MethodHandles.publicLookup()
          .unreflect(method)
          .asType(MethodType.methodType(SdkPojo.class, SdkClient.class, SdkPojo.class));
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(method + " cannot be called", e);
    }
  }

  private static Supplier<SdkPojo> builder(Class<?> request) {
    try {
      MethodHandle builder =
          MethodHandles.publicLookup()
              .unreflect(request.getMethod("builder"))
              .asType(MethodType.methodType(SdkPojo.class));
      return () -> {
        try {
          return (SdkPojo) builder.invokeExact();
        } catch (Throwable e) {
          throw new IllegalStateException(request.getName() + " has no builder", e);
        }
      };
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(request.getName() + " has no builder", e);
    }
  }

  /** The constant that the SDK's marshaller of a request holds. */
  private static OperationInfo info(Class<?> request) {
    String marshaller =
        request.getPackageName().replaceFirst("\\.model$", ".transform")
            + "."
            + request.getSimpleName()
            + "Marshaller";
    try {
      for (Field field :
          Class.forName(marshaller, true, request.getClassLoader()).getDeclaredFields()) {
        if (field.getType() == OperationInfo.class) {
          field.setAccessible(true);
          return (OperationInfo) field.get(null);
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("no operation in " + marshaller, e);
    }
    throw new IllegalArgumentException("no operation in " + marshaller);
  }
}
