"""The ranker: [text] [history] | [candidates] in one forward of a pretrained language model."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from features.candidates import WORD_FEATURES
from models.ranker.attention import Packing, unmasked, use_packed_attention
from models.ranker.batch import RankBatch
from models.ranker.config import TREES, RankerConfig, load_config
from models.ranker.fusion_head import FusionHead
from models.ranker.tokens import ItemTokens
from models.ranker.tree_head import TreeHead
from models.ranker.value import RATING

WEIGHTS = "model.safetensors"


class Ranker(nn.Module):
    """Scores candidates, each as if it were alone.

    Text tokens see each other. Events see the text and the events before them, so that appending
    one changes no earlier state. Candidates see what precedes them and themselves, and all stand at
    the position after their last event. A candidate is one item token, in text mode followed by the
    tokens of its own text; the score is read at the item token.
    """

    def __init__(self, config: RankerConfig, language_model: PreTrainedModel) -> None:
        super().__init__()
        self.config = config
        self.language_model = language_model
        use_packed_attention(language_model)
        words = language_model.get_input_embeddings().weight
        self.tokens = ItemTokens(config, words.shape[1], float(words.detach().std()))
        head = TreeHead if config.head == TREES else FusionHead
        self.head = head(words.shape[1], len(config.features), len(config.outcomes))
        self.feature_scale: Tensor
        self.register_buffer("feature_scale", torch.ones(len(config.features)))
        seen = [name not in config.withheld for name in config.features]
        self.feature_seen: Tensor
        self.register_buffer("feature_seen", torch.tensor(seen), persistent=False)
        of_words = [name in WORD_FEATURES for name in config.features]
        self.feature_of_words: Tensor
        self.register_buffer("feature_of_words", torch.tensor(of_words), persistent=False)

    @property
    def rates(self) -> bool:
        """Whether the last outcome is the rating."""
        return self.config.outcomes[-1] == RATING

    def forward(self, batch: RankBatch) -> Tensor:
        """Return logits [B, C, outcomes]."""
        features = self.standardised(batch.candidate_features_BCF)
        states = self.states(batch, features)
        return self.head(states, features, batch.new_BC, self.new_features(batch))

    def explain(self, batch: RankBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits [B, C, outcomes], and the parts of the first outcome's logit.

        The parts are those of the language model [B, C] and of each feature [B, C, features]; with
        the bias they sum to the logit.
        """
        features = self.standardised(batch.candidate_features_BCF)
        states = self.states(batch, features)
        return self.head.explain(states, features, batch.new_BC, self.new_features(batch))

    def listens(self, new: Tensor) -> bool:
        """Return whether candidates need the language model's states; new: bool [..., C].

        Not where training found that it adds nothing, to whom it is not to be read for at least:
        its part is 0 whatever it says, and its forward pass may be left out.
        """
        return self.config.language and self.head.listens(new)

    def new_features(self, batch: RankBatch) -> Tensor:
        """Return which features count as newcomers' do, bool [B, C, features]."""
        return self.features_of(batch.new_BC, batch.obeyed_B[:, None])

    def features_of(self, new: Tensor, obeyed: Tensor) -> Tensor:
        """Return the same, bool [..., C, features], by whether candidates are for newcomers and
        whether words are to be obeyed, bool [..., C].

        What a request asks for is obeyed whoever asks: how to do so is learned with histories.
        """
        return new[..., None] & ~(obeyed[..., None] & self.feature_of_words)

    def standardised(self, features: Tensor) -> Tensor:
        """Return features in training's standard deviations from 0, which stays 0: unknown."""
        if self.config.head == TREES:
            # Training keeps examples in half precision. Trees step at the very values that they
            # have seen, so they must see these in serving too.
            features = features.half().float()
        return (features / self.feature_scale).clamp(-10, 10) * self.feature_seen

    def states(self, batch: RankBatch, features: Tensor) -> Tensor:
        """Return the language model's last state at each candidate [B, C, width]."""
        if not self.config.language:
            return features.new_zeros(*features.shape[:2], self.head.language.in_features)
        words = self.language_model.get_input_embeddings()
        text = words(batch.text_ids_BT)
        events = self.tokens.events(
            self.tokens.ids_of(batch.event_rows_BS),
            batch.event_vectors_BSD,
            batch.event_actions_BS,
            batch.event_features_BSE,
        )
        candidates = self.tokens.candidates(
            self.tokens.ids_of(batch.candidate_rows_BC),
            batch.candidate_vectors_BCD,
            torch.cat([features, batch.context_BCX], dim=-1),
        )
        own = words(batch.candidate_texts_BCN.clamp(min=0))
        return self.read(text, events, candidates, own, positions(batch), packing(batch))

    def read(
        self,
        text_BTW: Tensor,
        events_BSW: Tensor,
        candidates_BCW: Tensor,
        words_BCNW: Tensor,
        positions_BL: Tensor,
        packing: Packing,
    ) -> Tensor:
        """Return the last state at each candidate [B, C, width], from tokens and their places."""
        blocks = torch.cat([candidates_BCW[:, :, None], words_BCNW], dim=2)
        tokens = torch.cat([text_BTW, events_BSW, blocks.flatten(1, 2)], dim=1).to(text_BTW.dtype)
        output = self.language_model(
            inputs_embeds=tokens,
            attention_mask=unmasked(text_BTW),
            position_ids=positions_BL,
            packing=packing,
        )
        prefix = text_BTW.shape[1] + events_BSW.shape[1]
        return output.last_hidden_state[:, prefix :: blocks.shape[2]]

    def save(self, directory: Path) -> None:
        """Write configuration and weights into a folder."""
        directory.mkdir(parents=True, exist_ok=True)
        self.config.save(directory)
        save_file({k: v.contiguous() for k, v in self.state_dict().items()}, directory / WEIGHTS)


def packing(batch: RankBatch) -> Packing:
    """Return who sees whom in a batch."""
    texts, events = batch.text_ids_BT.shape[1], batch.event_rows_BS.shape[1]
    sees_text = batch.text_mask_BT[:, None, :]
    causal = torch.ones(events, events, dtype=torch.bool, device=sees_text.device).tril()
    sees_events = causal[None] & batch.event_mask_BS[:, None, :]
    no_events = sees_text.new_zeros(len(sees_text), texts, events)
    prefix_mask = torch.cat(
        [
            torch.cat([sees_text.expand(-1, texts, -1), no_events], dim=2),
            torch.cat([sees_text.expand(-1, events, -1), sees_events], dim=2),
        ],
        dim=1,
    )
    order = torch.arange(events, device=sees_text.device)
    visible = (order < batch.visible_BC[..., None]) & batch.event_mask_BS[:, None, :]
    candidate_mask = torch.cat([sees_text.expand(-1, visible.shape[1], -1), visible], dim=2)
    item_tokens = torch.ones_like(batch.visible_BC, dtype=torch.bool)[..., None]
    own_mask = torch.cat([item_tokens, batch.candidate_texts_BCN >= 0], dim=2)
    return Packing(texts + events, prefix_mask, candidate_mask, own_mask)


def positions(batch: RankBatch) -> Tensor:
    """Return positions [B, T + S + C * (1 + N)]: padding of the text takes none."""
    text = batch.text_mask_BT.cumsum(1) - 1
    after_text = batch.text_mask_BT.sum(1, keepdim=True)
    events = after_text + torch.arange(batch.event_rows_BS.shape[1], device=text.device)
    own = torch.arange(1 + batch.candidate_texts_BCN.shape[2], device=text.device)
    candidates = (after_text + batch.visible_BC)[..., None] + own
    return torch.cat([text.clamp(min=0), events, candidates.flatten(1)], dim=1)


def new_ranker(config: RankerConfig, language_model_directory: Path) -> Ranker:
    """Return a ranker on the pretrained weights of a Hugging Face directory."""
    language_model = AutoModel.from_pretrained(
        language_model_directory, local_files_only=True, dtype=torch.float32
    )
    _drop_pooler(language_model)
    return Ranker(config, language_model)


def load_ranker(directory: Path) -> Ranker:
    """Return a trained ranker, in evaluation mode."""
    config = load_config(directory)
    settings = dict(config.language_model)
    model_type = str(settings.pop("model_type"))
    language_model = AutoModel.from_config(CONFIG_MAPPING[model_type](**settings))
    _drop_pooler(language_model)
    ranker = Ranker(config, language_model)
    # The file is mapped; a copy would touch what no request needs.
    ranker.load_state_dict(load_file(directory / WEIGHTS), assign=True)
    return ranker.eval()


def language_model_config(directory: Path) -> dict[str, object]:
    """Return the configuration of a Hugging Face directory, as `RankerConfig` stores it."""
    settings: dict[str, object] = AutoConfig.from_pretrained(
        directory, local_files_only=True
    ).to_dict()
    settings.pop("_name_or_path", None)  # where it lay when it was read says nothing later
    return settings


def _drop_pooler(language_model: PreTrainedModel) -> None:
    """Drop BERT's pooler, which nothing here reads."""
    if getattr(language_model, "pooler", None) is not None:
        language_model.pooler = None
