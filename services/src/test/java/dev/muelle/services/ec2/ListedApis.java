package dev.muelle.services.ec2;

import dev.muelle.services.Api;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.VpcHttp;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Two APIs of a region, the images, and one of the world; where they are served, is written down.
 */
final class ListedApis implements RegionalApis {

  static final String OUTSIDE = "198.19.255.7";

  /** What is served, by address. */
  final Map<String, String> served = new ConcurrentSkipListMap<>();

  @Override
  public List<Api> all() {
    return List.of(
        new Api("ecs", Api.Form.REGIONAL),
        new Api("logs", Api.Form.REGIONAL),
        new Api("api.ecr", Api.Form.REGIONAL),
        Api.IMAGES,
        new Api("iam", Api.Form.GLOBAL));
  }

  @Override
  public Optional<String> outside() {
    return Optional.of(OUTSIDE);
  }

  @Override
  public VpcHttp.Server serve(String vpcId, String address, String region, Api api) {
    served.put(address, region + "/" + api.service());
    return () -> served.remove(address);
  }
}
