import torch

from models.ranker.packed_user import collate
from tests.support.rankers import llama_config, random_ranker, random_user
from training.ranker.adapters import add_adapters, merge_adapters
from training.ranker.loop import new_optimizer
from training.settings import TrainSettings


def test_only_adapters_learn_in_the_language_model_and_merging_keeps_what_they_say() -> None:
    ranker = random_ranker(llama_config())
    batch = collate(ranker.config, [random_user(candidates=4)])
    names = set(ranker.state_dict())
    before = ranker(batch).detach()
    add_adapters(ranker, rank=2)
    new_optimizer(ranker, TrainSettings())
    learning = [n for n, p in ranker.language_model.named_parameters() if p.requires_grad]
    assert learning
    assert all("lora" in name for name in learning)
    torch.testing.assert_close(ranker(batch), before)
    for name, parameter in ranker.language_model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted = ranker.eval()(batch).detach()
    assert not torch.allclose(adapted, before, atol=1e-3)
    merge_adapters(ranker)
    assert set(ranker.state_dict()) == names
    torch.testing.assert_close(ranker(batch).detach(), adapted, atol=1e-4, rtol=1e-3)
