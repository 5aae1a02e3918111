package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.arczonalshift.ArcZonalShiftClient;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Every operation of every interface: what the SDK's own client sends, arrives; what the service
 * answers or throws, comes back. Nothing of it is written for one service.
 */
class RoundTripTest {
  private static final String KEY = "AKIDEXAMPLE";
  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

  private final long seed = Long.getLong("seed", 20261121);
  private final Random random = new Random(seed);

  @BeforeEach
  void saySeed() {
    System.out.println("-Dseed=" + seed);
  }

  /** A service of any interface: keeps what it was asked, answers what it was told. */
  private static final class Puppet<C extends SdkClient> {
    private @Nullable SdkPojo asked;
    private @Nullable SdkPojo answer;
    private @Nullable RuntimeException failure;
    final C client;

    @SuppressWarnings("unchecked")
    Puppet(Class<C> type) {
      C service =
          (C)
              Proxy.newProxyInstance(
                  type.getClassLoader(),
                  new Class<?>[] {type},
                  (proxy, method, args) -> {
                    asked = (SdkPojo) args[0];
                    if (failure != null) {
                      throw failure;
                    }
                    return answer;
                  });
      AccessKeys keys =
          id ->
              Optional.of(
                  new AccessKeys.AccessKey(id, SECRET, "", "123456789012", "arn", "AIDAEXAMPLE"));
      client =
          client(
              type,
              new Loopback(
                  new AwsHandler(
                      new Mounts().mount(type, caller -> service),
                      // STS has operations that nobody signs: they are how one gets a key
                      type == StsClient.class ? Access.open() : Access.verified(keys),
                      Clock.systemUTC(),
                      new Random(1))));
    }

    @SuppressWarnings("unchecked")
    private static <C extends SdkClient> C client(Class<C> type, Loopback http) {
      try {
        AwsClientBuilder<?, ?> builder =
            (AwsClientBuilder<?, ?>) type.getMethod("builder").invoke(null);
        ((AwsSyncClientBuilder<?, ?>) builder).httpClient(http);
        builder
            .region(Region.EU_WEST_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create(KEY, SECRET)))
            .overrideConfiguration(
                ClientOverrideConfiguration.builder()
                    .retryStrategy(AwsRetryStrategy.doNotRetry())
                    .build());
        return (C) builder.build();
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(e.getMessage(), e);
      }
    }

    SdkPojo call(Method operation, SdkPojo request) throws Throwable {
      try {
        return (SdkPojo) operation.invoke(client, request);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }
  }

  private static SdkPojo builder(Class<?> type) {
    try {
      return (SdkPojo) type.getMethod("builder").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  private List<Generator> generators(Class<? extends SdkClient> type) {
    String protocol = ClientClassFile.of(type).serviceProtocol();
    if (protocol.equals("REST_JSON")) { // clients want what is in the path to be there
      return List.of(new Generator(random, 1, 3, false), new Generator(random, 1, 5, true));
    }
    boolean json = protocol.equals("AWS_JSON");
    return List.of(
        new Generator(random, 1, 3, false), // every member
        new Generator(random, 0.5, 5, json), // some, deeper
        new Generator(random, 0, 0, json)); // none
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        EcsClient.class,
        EcrClient.class,
        Ec2Client.class,
        ElasticLoadBalancingV2Client.class,
        IamClient.class,
        StsClient.class,
        AutoScalingClient.class,
        CloudWatchClient.class,
        CloudWatchLogsClient.class,
        DynamoDbClient.class,
        ArcZonalShiftClient.class
      })
  <C extends SdkClient> void noFieldIsLost(Class<C> type) throws Throwable {
    Puppet<C> puppet = new Puppet<>(type);
    List<String> lost = new ArrayList<>();
    for (Method operation : ServiceModel.operationMethods(type).values()) {
      for (Generator generator : generators(type)) {
        SdkPojo request = generator.fill(builder(operation.getParameterTypes()[0]));
        SdkPojo response = generator.fill(builder(operation.getReturnType()));
        puppet.asked = null;
        puppet.answer = response;
        SdkPojo answered = puppet.call(operation, request);
        assertNotNull(puppet.asked);
        differences(operation.getName() + " request", request, puppet.asked, lost);
        differences(operation.getName() + " response", response, answered, lost);
      }
    }
    assertEquals(List.of(), lost, "seed " + seed);
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        EcsClient.class,
        EcrClient.class,
        Ec2Client.class,
        ElasticLoadBalancingV2Client.class,
        IamClient.class,
        StsClient.class,
        AutoScalingClient.class,
        CloudWatchClient.class,
        CloudWatchLogsClient.class,
        DynamoDbClient.class,
        ArcZonalShiftClient.class
      })
  <C extends SdkClient> void everyExceptionComesBack(Class<C> type) throws Throwable {
    Puppet<C> puppet = new Puppet<>(type);
    Method any = ServiceModel.operationMethods(type).values().iterator().next();
    Generator generator = new Generator(random, 1, 2, false);
    SdkPojo request = generator.fill(builder(any.getParameterTypes()[0]));
    List<String> lost = new ArrayList<>();
    for (Class<?> exception : exceptions(type)) {
      SdkPojo details = builder(exception);
      generator.fill(details, 0);
      AwsServiceException thrown =
          ((AwsServiceException.Builder) details)
              .message("It is & was <wrong>: " + exception.getSimpleName())
              .build();
      puppet.failure = thrown;
      try {
        puppet.call(any, request);
        lost.add(exception.getSimpleName() + " was not thrown");
      } catch (AwsServiceException caught) {
        if (caught.getClass() != thrown.getClass()) {
          lost.add(exception.getSimpleName() + " came back as " + caught);
        } else {
          assertEquals(thrown.getMessage(), caught.awsErrorDetails().errorMessage());
          assertEquals(36, caught.requestId().length());
          assertTrue(caught.statusCode() >= 400);
          differences(exception.getSimpleName(), (SdkPojo) thrown, (SdkPojo) caught, lost);
        }
      }
    }
    assertEquals(List.of(), lost, "seed " + seed);
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        EcsClient.class,
        Ec2Client.class,
        ElasticLoadBalancingV2Client.class,
        DynamoDbClient.class
      })
  <C extends SdkClient> void aCodeOfTheServicesOwnIsGivenAsItIs(Class<C> type) throws Throwable {
    Puppet<C> puppet = new Puppet<>(type);
    Method any = ServiceModel.operationMethods(type).values().iterator().next();
    puppet.failure =
        AwsServiceException.builder()
            .statusCode(403)
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .errorCode("InvalidVpcID.NotFound")
                    .errorMessage("The vpc ID 'vpc-1' does not exist")
                    .build())
            .build();
    try {
      puppet.call(any, Shapes.build(builder(any.getParameterTypes()[0])));
    } catch (AwsServiceException caught) {
      assertEquals(403, caught.statusCode());
      assertEquals("InvalidVpcID.NotFound", caught.awsErrorDetails().errorCode());
      assertEquals("The vpc ID 'vpc-1' does not exist", caught.awsErrorDetails().errorMessage());
      return;
    }
    throw new AssertionError("nothing thrown");
  }

  private static Set<Class<?>> exceptions(Class<? extends SdkClient> type) {
    Set<Class<?>> exceptions = new LinkedHashSet<>();
    for (Method operation : ServiceModel.operationMethods(type).values()) {
      for (Class<?> exception : operation.getExceptionTypes()) {
        boolean modelled =
            exception.getPackageName().endsWith(".model")
                && exception.getSuperclass() != AwsServiceException.class;
        if (modelled) {
          exceptions.add(exception);
        }
      }
    }
    return exceptions;
  }

  private static void differences(
      String where, SdkPojo expected, SdkPojo actual, List<String> lost) {
    for (SdkField<?> field : expected.sdkFields()) {
      Object before = field.getValueOrDefault(expected);
      Object after = field.getValueOrDefault(actual);
      boolean token = !Objects.equals(before, field.getValueOrDefault(expected));
      if (token && after != null) {
        continue; // an idempotency token that the client makes up where none was given
      }
      if (!Objects.equals(before, after) || JsonWriter.isSet(before) != JsonWriter.isSet(after)) {
        lost.add(where + "." + field.memberName() + ": " + before + " -> " + after);
      }
    }
  }
}
